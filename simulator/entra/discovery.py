"""Discovery endpoints: OpenID configuration, signing keys, cloud instances.

Microsoft: v2-protocols-oidc.
"""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from simulator.entra.authority import Authority, find_authority
from simulator.entra.errors import EntraError
from simulator.request_context import base_url
from simulator.store import store

MICROSOFT = "https://login.microsoftonline.com"
CLOUD_HOSTS = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")


def _discovery_document(authority: Authority, browser_base: str) -> dict[str, Any]:
    # Only the browser endpoints name the simulator's host. Endpoints for servers keep Microsoft's host:
    # MSAL refuses a token endpoint without https, so the product reroutes its requests instead.
    path = authority.path
    return {
        "token_endpoint": f"{MICROSOFT}/{path}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{MICROSOFT}/{path}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": authority.issuer,
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{browser_base}/{path}/oauth2/v2.0/authorize",
        "end_session_endpoint": f"{browser_base}/{path}/oauth2/v2.0/logout",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "acr",
            "nonce",
            "preferred_username",
            "name",
            "tid",
            "ver",
        ],
        "tenant_region_scope": None if authority.tenant is None else "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


@require_GET
def openid_configuration(request: HttpRequest, tenant: str) -> JsonResponse:
    """Serve GET /{tenant}/v2.0/.well-known/openid-configuration."""
    try:
        with store.lock:
            authority = find_authority(store.directory, tenant)
    except EntraError as error:
        return JsonResponse(error.body(request.headers.get("client-request-id")), status=400)
    return JsonResponse(_discovery_document(authority, base_url(request)))


@require_GET
def keys(request: HttpRequest, tenant: str) -> JsonResponse:
    """Serve GET /{tenant}/discovery/v2.0/keys."""
    try:
        with store.lock:
            authority = find_authority(store.directory, tenant)
            return JsonResponse(store.key.jwks(authority.issuer))
    except EntraError as error:
        return JsonResponse(error.body(request.headers.get("client-request-id")), status=400)


@require_GET
def instance(request: HttpRequest) -> JsonResponse:
    """Serve GET /common/discovery/instance: metadata of the cloud that a host belongs to."""
    endpoint = request.GET.get("authorization_endpoint", "")
    host = endpoint.removeprefix("https://").partition("/")[0]
    if host not in CLOUD_HOSTS:
        error = EntraError("invalid_instance", 50049, "Unknown or invalid instance.")
        return JsonResponse(error.body(), status=400)
    tenant = endpoint.removeprefix("https://").split("/")[1]
    metadata = {
        "preferred_network": CLOUD_HOSTS[0],
        "preferred_cache": "login.windows.net",
        "aliases": list(CLOUD_HOSTS),
    }
    return JsonResponse(
        {
            "tenant_discovery_endpoint": f"{MICROSOFT}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [metadata],
        }
    )

"""Responses of Microsoft's token endpoint and of its discovery."""

from __future__ import annotations

from typing import Any, Final

import responses

from integrations.teams.entra import sign_in
from integrations.teams.entra.token_responses import DELEGATED_PERMISSIONS
from tests.factories import TENANT_ID

ENTRA: Final = "https://login.microsoftonline.com"
TOKEN_ENDPOINT: Final = f"{ENTRA}/{TENANT_ID}/oauth2/v2.0/token"
DISCOVERY: Final = f"{ENTRA}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
KEYS: Final = f"{ENTRA}/{TENANT_ID}/discovery/v2.0/keys"
GRAPH: Final = "https://graph.microsoft.com"
SCOPE: Final = " ".join(f"{GRAPH}/{name}" for name in DELEGATED_PERMISSIONS)
ISSUED: Final = {
    "token_type": "Bearer",
    "scope": f"{SCOPE} openid profile",
    "expires_in": 3599,
    "access_token": "new-access-token",
    "refresh_token": "new-refresh-token",
}
DOCUMENT: Final = {
    "issuer": f"{ENTRA}/{TENANT_ID}/v2.0",
    "authorization_endpoint": f"{ENTRA}/{TENANT_ID}/oauth2/v2.0/authorize",
    "token_endpoint": TOKEN_ENDPOINT,
    "jwks_uri": KEYS,
}


def microsoft() -> responses.RequestsMock:
    """Serve the discovery document. Tests add responses of the token endpoint."""
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.get(DISCOVERY, json=DOCUMENT)
    return mock


def pending_flow() -> dict[str, Any]:
    """Return the flow of a started sign-in, without the address."""
    flow = sign_in.start_sign_in(TENANT_ID, "https://coconut.example/")
    return {name: value for name, value in flow.items() if name != "auth_uri"}


def refusal(error: str, number: int) -> dict[str, Any]:
    """Return an error body with Microsoft's text, which is never shown."""
    return {
        "error": error,
        "error_description": f"AADSTS{number}: In Microsoft's words.\r\nTrace ID: a-trace",
        "error_codes": [number],
        "trace_id": "a-trace",
    }

"""Client authentication at the token endpoint: secret or signed assertion.

Microsoft: reference-error-codes, access-token-claims-reference.
"""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote

import jwt
from cryptography import x509
from django.http import HttpRequest

from simulator.entra.authority import Authority
from simulator.entra.errors import EntraError, missing_parameter, unknown_app
from simulator.request_context import claim_entra_fault
from simulator.store import Store

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Client:
    """An authenticated app. `appidacr` is 1 for a secret, 2 for a certificate."""

    id: str
    appidacr: str


def _client_error(number: int, text: str) -> EntraError:
    return EntraError("invalid_client", number, text, status=401)


def authenticate_client(store: Store, request: HttpRequest, authority: Authority) -> Client:
    """Return the app that sent the request.

    Raises EntraError 700016 (unknown app), 7000215 (wrong secret), 7000222 (expired secret),
    7000218 (no credentials), 700024 or 700027 (assertion out of date or not trusted).
    """
    client_id, secret = _read_credentials(request)
    if not client_id:
        raise missing_parameter("client_id")
    registration = store.registration
    if client_id != registration.client_id:
        raise unknown_app(client_id, authority.name)
    if request.POST.get("client_assertion"):
        _verify_assertion(store, client_id, request.POST["client_assertion"])
        return Client(client_id, "2")
    if not secret:
        raise _client_error(
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    if registration.secret_expired or claim_entra_fault(request, "secret_expired") is not None:
        raise _client_error(
            7000222,
            f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to "
            "create new keys for your app.",
        )
    if secret != registration.secret or claim_entra_fault(request, "secret_wrong") is not None:
        raise _client_error(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        )
    return Client(client_id, "1")


def _read_credentials(request: HttpRequest) -> tuple[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _verify_assertion(store: Store, client_id: str, assertion: str) -> None:
    for pem in store.registration.certificates:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        try:
            claims = jwt.decode(
                assertion,
                key,  # type: ignore[arg-type]
                ["RS256", "PS256"],
                options={"verify_aud": False, "require": ["exp", "iss", "sub", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            # Not listed by Microsoft; reported in microsoft-authentication-library-for-dotnet issue 4951.
            raise _client_error(700024, "Client assertion is not within its valid time range.") from error
        except jwt.InvalidTokenError:
            continue
        if claims["iss"] == claims["sub"] == client_id and str(claims["aud"]).endswith("/oauth2/v2.0/token"):
            return
    raise _client_error(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application.",
    )

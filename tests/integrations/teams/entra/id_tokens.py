"""Id tokens as Microsoft signs them, and the keys that it publishes."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from integrations.teams.entra.tenants import Tenant
from tests.factories import SERVICE_ACCOUNT_ID, TENANT_ID
from tests.integrations.teams.entra.token_endpoint import ENTRA, KEYS

FLOW: Final = {"nonce": "a-nonce"}
TENANT: Final = Tenant(TENANT_ID, "", f"{ENTRA}/{TENANT_ID}/v2.0", KEYS, f"{ENTRA}/authorize")
_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published_keys() -> dict[str, Any]:
    """Return the document of `jwks_uri`."""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
    return {"keys": [{**key, "kid": "a-key", "use": "sig", "alg": "RS256"}]}


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of the service account's id token."""
    now = int(time.time())
    return {
        "aud": settings.MICROSOFT_CLIENT_ID,
        "iss": TENANT.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": TENANT_ID,
        "oid": SERVICE_ACCOUNT_ID,
        "sub": "a-subject",
        "nonce": sha256(FLOW["nonce"].encode()).hexdigest(),
        "preferred_username": "coconut-meetings@contoso.example",
        "name": "Coconut Meetings",
        **changes,
    }


def signed(payload: dict[str, Any], **header: Any) -> str:
    """Return an id token with these claims."""
    return jwt.encode(payload, _KEY, algorithm="RS256", headers={"kid": "a-key", **header})

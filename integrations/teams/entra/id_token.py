"""Verify id tokens. MSAL 1.38 and later only decode them."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import jwt
from django.conf import settings

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.errors import unreachable
from integrations.teams.entra.tenants import Tenant
from integrations.teams.http import Unreachable, get_json
from integrations.teams.messages import TeamsMessage

_LEEWAY_SECONDS: Final = 120
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """Account of an id token. `tenant_id` and `oid` are immutable; `upn` and `name` are for display.

    `directory_roles` holds the ids of administrator roles. None means unknown, because `wids` is an optional claim
    (learn.microsoft.com/entra/identity-platform/optional-claims-reference).
    """

    tenant_id: str
    oid: str
    upn: str
    name: str
    directory_roles: frozenset[str] | None = None


def verify_id_token(id_token: str, tenant: Tenant, flow: Mapping[str, Any]) -> Identity:
    """Verify signature, aud, iss, tid, oid, exp and nonce of the id token of `flow`.

    Raises PlatformError: CONNECTION if a check fails, OUTAGE if Microsoft's keys can't be fetched.
    """
    try:
        claims = jwt.decode(
            id_token,
            _signing_key(id_token, tenant),
            algorithms=["RS256"],
            audience=settings.MICROSOFT_CLIENT_ID,
            issuer=tenant.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["aud", "iss", "exp", "tid", "oid", "nonce"], "strict_aud": True},
        )
    except jwt.InvalidIssuerError as error:
        raise other_tenant_error() from error
    except (jwt.PyJWTError, KeyError) as error:
        raise _rejected_token_error(type(error).__name__) from error
    if not _has_expected_types(claims):
        raise _rejected_token_error("type of a claim")
    if claims["tid"].lower() != tenant.id:
        raise other_tenant_error()
    # MSAL keeps the nonce in the flow and sends its hash.
    expected = sha256(str(flow.get("nonce", "")).encode()).hexdigest()
    if not hmac.compare_digest(claims["nonce"].encode(), expected.encode()) or not claims["oid"]:
        raise _rejected_token_error("nonce or oid")
    roles = claims.get("wids")
    return Identity(
        tenant.id,
        claims["oid"],
        str(claims.get("preferred_username", "")),
        str(claims.get("name", "")),
        None if roles is None else frozenset(role.lower() for role in roles),
    )


def _has_expected_types(claims: Mapping[str, Any]) -> bool:
    """Return whether the claims that decide have the documented types. `wids` may be missing."""
    roles = claims.get("wids")
    are_roles = roles is None or (isinstance(roles, list) and all(isinstance(role, str) for role in roles))
    return are_roles and all(isinstance(claims[name], str) for name in ("tid", "oid", "nonce"))


def other_tenant_error() -> PlatformError:
    """Return the error for an account of another tenant than the one that was entered."""
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.OTHER_TENANT_ACCOUNT))


def _signing_key(id_token: str, tenant: Tenant) -> jwt.PyJWK:
    key_id = jwt.get_unverified_header(id_token)["kid"]
    try:
        # PyJWKClient would bypass our HTTP session.
        _status, document = get_json(tenant.jwks_uri)
    except Unreachable as error:
        raise unreachable() from error
    return jwt.PyJWKSet.from_dict(document)[key_id]


def _rejected_token_error(what: str) -> PlatformError:
    logger.warning("An id token was not accepted: %s", what)
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.ID_TOKEN_REJECTED))

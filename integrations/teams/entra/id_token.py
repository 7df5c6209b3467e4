"""Verify id tokens. MSAL 1.38 and later only decode them."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import jwt
from django.conf import settings

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.errors import unreachable
from integrations.teams.entra.messages import EntraMessage
from integrations.teams.entra.tenants import Tenant
from integrations.teams.http import LastResponse, Unreachable, clean_text, get_document
from integrations.teams.messages import TeamsMessage
from integrations.teams.operator_mail import report_wrong_clock

_LEEWAY_SECONDS: Final = 120
# Less than the leeway: the header Date has no fractions, and its response takes time.
_CLOCKS_AGREE: Final = timedelta(seconds=_LEEWAY_SECONDS / 2)
_OBJECT_ID: Final = re.compile(r"[0-9A-Za-z-]{1,100}")
# PyJWT raises more than its own errors for malformed keys, headers and claims.
_INVALID: Final = (jwt.PyJWTError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
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

    Raises PlatformError: CONNECTION if a check fails, OPERATOR if our clock is wrong, OUTAGE or THROTTLED if
    Microsoft's keys can't be fetched.
    """
    claims = _verified_claims(id_token, tenant)
    if not _has_expected_types(claims):
        raise _rejected_token_error("type of a claim")
    if claims["tid"].lower() != tenant.id:
        raise other_tenant_error()
    # MSAL keeps the nonce in the flow and sends its hash.
    expected = sha256(str(flow.get("nonce", "")).encode()).hexdigest()
    if not hmac.compare_digest(claims["nonce"].encode(), expected.encode()):
        raise _rejected_token_error("nonce")
    roles = claims.get("wids")
    return Identity(
        tenant.id,
        claims["oid"],
        clean_text(claims.get("preferred_username"), 320),
        clean_text(claims.get("name"), 300),
        None if roles is None else frozenset(role.lower() for role in roles),
    )


def _verified_claims(id_token: str, tenant: Tenant) -> dict[str, Any]:
    keys = _fetch_keys(tenant)
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _signing_key(id_token, keys),
            algorithms=["RS256"],
            audience=settings.MICROSOFT_CLIENT_ID,
            issuer=tenant.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["aud", "iss", "exp", "tid", "oid", "nonce"], "strict_aud": True},
        )
    except jwt.InvalidIssuerError as error:
        raise other_tenant_error() from error
    except (jwt.ImmatureSignatureError, jwt.ExpiredSignatureError) as error:
        raise _untimely_token_error(type(error).__name__, keys.clock_offset) from error
    except _INVALID as error:
        raise _rejected_token_error(type(error).__name__) from error
    return claims


def _has_expected_types(claims: Mapping[str, Any]) -> bool:
    """Return whether the claims that decide have the documented types. `wids` may be missing."""
    roles = claims.get("wids")
    are_roles = roles is None or (isinstance(roles, list) and all(isinstance(role, str) for role in roles))
    are_texts = all(isinstance(claims[name], str) for name in ("tid", "oid", "nonce"))
    return are_roles and are_texts and claims["nonce"].isascii() and _OBJECT_ID.fullmatch(claims["oid"]) is not None


def other_tenant_error() -> PlatformError:
    """Return the error for an account of another tenant than the one that was entered."""
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.OTHER_TENANT_ACCOUNT))


def _fetch_keys(tenant: Tenant) -> LastResponse:
    try:
        # PyJWKClient would bypass our HTTP session.
        keys = get_document(tenant.jwks_uri)
    except Unreachable as error:
        raise unreachable(error.last) from error
    if keys.status != 200 or not isinstance(keys.body.get("keys"), list):
        raise unreachable(keys)
    return keys


def _signing_key(id_token: str, keys: LastResponse) -> jwt.PyJWK:
    """Return the key that the token names. Raises one of _INVALID."""
    by_id = {key["kid"]: key for key in keys.body["keys"] if isinstance(key, dict) and isinstance(key.get("kid"), str)}
    return jwt.PyJWK.from_dict(by_id[jwt.get_unverified_header(id_token)["kid"]])


def _untimely_token_error(what: str, clock_offset: timedelta | None) -> PlatformError:
    """Return the error for a token of another time: our clock is wrong if Microsoft's differs from it."""
    if clock_offset is None or abs(clock_offset) < _CLOCKS_AGREE:
        return _rejected_token_error(what)
    report_wrong_clock(clock_offset)
    return PlatformError(ErrorKind.OPERATOR, Message(EntraMessage.OUR_CLOCK))


def _rejected_token_error(what: str) -> PlatformError:
    logger.warning("An id token was not accepted: %s", what)
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.ID_TOKEN_REJECTED))

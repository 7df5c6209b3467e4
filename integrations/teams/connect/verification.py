"""Verify Microsoft's answers before anything is stored, for both methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in
from integrations.teams.entra.errors import callback_error
from integrations.teams.entra.id_token import Identity, other_tenant_error, verify_id_token
from integrations.teams.entra.tenants import Tenant, TenantProblem, resolve_tenant
from integrations.teams.entra.token_responses import DELEGATED_PERMISSIONS, Tokens
from integrations.teams.graph.me import licence_warning, read_account, read_tenant_name
from integrations.teams.messages import TeamsMessage

# Only Global Administrator and Privileged Role Administrator may consent for the organisation
# (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
CONSENTING_ROLES: Final = frozenset({"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"})
Query = Mapping[str, str]


@dataclass(frozen=True)
class VerifiedServiceAccount:
    """A sign-in that was verified and whose tokens were refreshed once.

    `warning` says what may keep the account from making meetings, and is empty if nothing does.
    """

    identity: Identity
    tokens: Tokens
    tenant_name: str
    warning: Message = field(default_factory=Message)


class RolesMissing(Exception):
    """The app token lacks `roles`: not consented to, or not visible yet."""

    def __init__(self, roles: list[str]) -> None:
        super().__init__(", ".join(roles))
        self.roles = roles


def verify_service_account(
    tenant_id: str, domain: str, flow: Mapping[str, Any], query: Query
) -> VerifiedServiceAccount:
    """Return the account that signed in, with working tokens. Raises PlatformError."""
    _require_code(query)
    tenant = _resolve_stored_tenant(tenant_id)
    issued, id_token = sign_in.redeem_code(tenant.id, flow, query)
    identity = verify_id_token(id_token, tenant, flow)
    _require_permissions(issued)
    # Refresh now: otherwise a refresh token that doesn't work would go unnoticed for an hour.
    renewed = sign_in.refresh_tokens(tenant.id, issued.refresh_token, is_connecting=True)
    profile = read_account(renewed.access_token)
    if profile.oid != identity.oid:
        raise other_tenant_error()
    current = Identity(tenant.id, identity.oid, profile.upn or identity.upn, profile.name or identity.name)
    if profile.is_guest:
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.GUEST_ACCOUNT, {"account": current.upn}))
    tenant_name = read_tenant_name(renewed.access_token) or domain
    return VerifiedServiceAccount(current, renewed, tenant_name, licence_warning(renewed.access_token, current.upn))


def require_consent(tenant_id: str, query: Query) -> None:
    """Require that the redirect after an admin consent reports consent for this tenant. Raises PlatformError.

    Check `error` first, because refusals carry `admin_consent=True` as well. Both can be forged, so the redirect proves
    nothing (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
    """
    if "error" in query or query.get("admin_consent", "").lower() != "true":
        raise callback_error(query)
    if query.get("tenant", "").lower() != tenant_id.lower():
        raise other_tenant_error()


def verify_administrator(tenant_id: str, flow: Mapping[str, Any], query: Query) -> Identity:
    """Return the administrator who signed in to the tenant. Raises PlatformError if the account may not consent.

    If Microsoft sends no roles, the account is returned without them: see `connect.requests`.
    """
    _require_code(query)
    tenant = _resolve_stored_tenant(tenant_id)
    identity = verify_id_token(sign_in.redeem_id_token(tenant.id, flow, query), tenant, flow)
    if identity.directory_roles is not None and not identity.directory_roles & CONSENTING_ROLES:
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.NOT_ADMINISTRATOR, {"account": identity.upn}))
    return identity


def read_roles(tenant_id: str) -> tuple[str, ...]:
    """Return the application permissions that were consented to. Raises RolesMissing and PlatformError."""
    token = sign_in.acquire_app_token(tenant_id, is_connecting=True)
    if token.missing_roles:
        raise RolesMissing(token.missing_roles)
    return token.roles


def _require_code(query: Query) -> None:
    if "error" in query or "code" not in query:
        raise callback_error(query)


def _resolve_stored_tenant(tenant_id: str) -> Tenant:
    try:
        return resolve_tenant(tenant_id)
    except TenantProblem as problem:
        raise PlatformError(ErrorKind.CONNECTION, problem.message) from problem


def _require_permissions(issued: Tokens) -> None:
    missing = [name for name in DELEGATED_PERMISSIONS if name not in issued.granted]
    if missing:
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.NOT_GRANTED, {"permissions": missing}))

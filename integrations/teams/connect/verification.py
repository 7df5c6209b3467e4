"""What Microsoft has to prove before anything is stored, for both methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in
from integrations.teams.entra.errors import refused_return
from integrations.teams.entra.id_token import Identity, check_id_token, other_tenant
from integrations.teams.entra.tenants import Tenant, TenantProblem, resolve_tenant
from integrations.teams.graph.me import read_account, read_tenant_name

# Global Administrator and Privileged Role Administrator, who alone may consent for everybody
# (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
CONSENTING_ROLES: Final = frozenset(
    {"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"}
)
Query = Mapping[str, str]


@dataclass(frozen=True)
class ServiceAccount:
    """A sign-in that was checked and renewed once."""

    identity: Identity
    tokens: sign_in.Tokens
    tenant_name: str


class RolesMissing(Exception):
    """The consent does not show in Coconut's own token (yet); `roles` names what is missing, one by one."""

    def __init__(self, roles: list[str]) -> None:
        super().__init__(", ".join(roles))
        self.roles = roles


def prove_service_account(
    tenant_id: str, domain: str, flow: Mapping[str, Any], answer: Query
) -> ServiceAccount:
    """Whoever signed in, with tokens that work. `answer` is the query of the return. Raises PlatformError."""
    _require_code(answer)
    tenant = _tenant(tenant_id)
    first, id_token = sign_in.redeem(tenant.id, flow, answer)
    identity = check_id_token(id_token, tenant, flow)
    _require_permissions(first)
    # A refresh token that does not work would only show in an hour.
    renewed = sign_in.refresh(tenant.id, first.refresh_token)
    account = read_account(renewed.access_token)
    if account.oid != identity.oid:
        raise other_tenant()
    shown = Identity(tenant.id, identity.oid, account.upn or identity.upn, account.name or identity.name)
    return ServiceAccount(shown, renewed, read_tenant_name(renewed.access_token) or domain)


def require_consent(tenant_id: str, answer: Query) -> None:
    """The return of an admin consent. Raises PlatformError unless it says yes, and for the tenant that was asked for.

    `admin_consent=True` stands on refusals, too, so the error is looked at first; and both may be forged, so that
    this proves nothing yet (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
    """
    if "error" in answer or answer.get("admin_consent", "").lower() != "true":
        raise refused_return(answer)
    if answer.get("tenant", "").lower() != tenant_id.lower():
        raise other_tenant()


def prove_administrator(tenant_id: str, flow: Mapping[str, Any], answer: Query) -> Identity:
    """Who consented, by a sign-in to the tenant. Raises PlatformError for somebody who may not consent at all."""
    _require_code(answer)
    tenant = _tenant(tenant_id)
    identity = check_id_token(sign_in.redeem_identity(tenant.id, flow, answer), tenant, flow)
    if identity.directory_roles is not None and not identity.directory_roles & CONSENTING_ROLES:
        sentence = _(
            "%(account)s is no administrator who may consent for the organisation. Sign in to Microsoft with an "
            "account that has the role Privileged Role Administrator or Global Administrator."
        )
        raise PlatformError(ErrorKind.CONNECTION, sentence % {"account": identity.upn})
    return identity


def read_roles(tenant_id: str) -> tuple[str, ...]:
    """The application permissions consented to. Raises RolesMissing and PlatformError."""
    token = sign_in.app_token(tenant_id)
    if token.missing_roles:
        raise RolesMissing(token.missing_roles)
    return token.roles


def _require_code(answer: Query) -> None:
    if "error" in answer or "code" not in answer:
        raise refused_return(answer)


def _tenant(tenant_id: str) -> Tenant:
    try:
        return resolve_tenant(tenant_id)
    except TenantProblem as problem:
        raise PlatformError(ErrorKind.CONNECTION, str(problem)) from problem


def _require_permissions(issued: sign_in.Tokens) -> None:
    missing = [name for name in sign_in.PERMISSIONS if name not in issued.granted]
    if missing:
        sentence = _("Microsoft did not grant %(permissions)s. Accept all permissions that Coconut asks for.")
        raise PlatformError(ErrorKind.CONNECTION, sentence % {"permissions": ", ".join(missing)})

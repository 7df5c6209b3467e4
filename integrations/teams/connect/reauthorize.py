"""Reauthorize: a new sign-in or a new consent for the connection that is there. Its links and people stay."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import mark_reauthorized
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.store import (
    access_policy_columns,
    note_unknown_roles,
    renew_sign_in,
    require_right_to_consent,
    service_account_columns,
)
from integrations.teams.connect.verification import ServiceAccount
from integrations.teams.entra.id_token import Identity
from integrations.teams.entra.tenants import Tenant, TenantProblem
from integrations.teams.models import Method, TeamsConnection
from staff.models import StaffMember


class Disconnected(Exception):
    """The connection was disconnected meanwhile; `str()` is the sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Microsoft Teams is disconnected. Connect it again instead."))


def answers_for(teams: TeamsConnection, tenant: Tenant) -> WizardAnswers:
    """What a trip for this connection is about. TenantProblem: another tenant than the connection's was typed."""
    if tenant.id != str(teams.tenant_id):
        name = teams.tenant_name or str(teams.tenant_id)
        raise TenantProblem(
            _(
                "This connection belongs to the tenant %(tenant)s. Enter that one; another tenant is connected with "
                "+ New."
            )
            % {"tenant": name}
        )
    return WizardAnswers(tenant.id, tenant.domain, method=teams.method, connection_id=teams.connection_id)


@transaction.atomic
def reauthorize_service_account(connection_id: int, actor: StaffMember, proven: ServiceAccount) -> Connection:
    """Renew the sign-in of the same account. Raises PlatformError for another one, and Disconnected."""
    teams = _lock(connection_id, actor, Method.SERVICE_ACCOUNT)
    if (proven.identity.oid, proven.identity.tenant_id) != (teams.account_oid, str(teams.tenant_id)):
        raise PlatformError(ErrorKind.CONNECTION, _other_account(teams, proven.identity))
    return _renew(teams, actor, service_account_columns(proven))


@transaction.atomic
def reauthorize_access_policy(
    actor: StaffMember, answers: WizardAnswers, identity: Identity, roles: tuple[str, ...]
) -> Connection:
    """Renew the consent; whichever administrator of the tenant gave it is shown from now on.

    Raises PlatformError for somebody who may not speak for the tenant, and Disconnected. Whether the add-on is
    switched on plays no part: what is connected can be reauthorized.
    """
    teams = _lock(answers.connection_id or 0, actor, Method.ACCESS_POLICY)
    require_right_to_consent(teams.connection.organization, identity)
    connection = _renew(teams, actor, access_policy_columns(identity, roles, answers))
    note_unknown_roles(connection, actor, identity)
    return connection


def _lock(connection_id: int, actor: StaffMember, method: Method) -> TeamsConnection:
    """The row, with its connection locked first, as everybody does who changes both."""
    locked = Connection.objects.select_for_update(no_key=True).filter(
        pk=connection_id, organization=actor.organization_id
    )
    connection = locked.first()
    if connection is None or not connection.is_live:
        raise Disconnected
    return TeamsConnection.objects.select_related("connection__organization").get(
        connection=connection, method=method
    )


def _renew(teams: TeamsConnection, actor: StaffMember, columns: dict[str, Any]) -> Connection:
    renew_sign_in(teams, columns)
    mark_reauthorized(teams.connection, actor)
    teams.connection.refresh_from_db()
    return teams.connection


def _other_account(teams: TeamsConnection, identity: Identity) -> str:
    return _(
        "You signed in as %(other)s, but the meetings belong to %(account)s. Start again and sign in to Microsoft as "
        "%(account)s. To use another account, connect it with + New."
    ) % {"other": identity.upn, "account": teams.account_upn}

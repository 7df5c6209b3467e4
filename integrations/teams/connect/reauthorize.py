"""Reauthorize: give an existing connection a new sign-in or consent. Its matches stay, and so do its meetings.

A service account may have been deleted and created again under the same user name. An admin then chooses whether the
connection uses the new account.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import AlreadyConnected, mark_reauthorized
from integrations.events import record_event
from integrations.meetings.organizers import request_follow
from integrations.messages import Message
from integrations.models import Connection, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.store import (
    access_policy_columns,
    note_unknown_roles,
    replace_sign_in,
    require_right_to_consent,
    service_account_columns,
)
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra.id_token import Identity
from integrations.teams.entra.tenants import Tenant, TenantProblem
from integrations.teams.event_text import TeamsEvent
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import Method, TeamsConnection
from staff.models import StaffMember


class Disconnected(Exception):
    """The connection was disconnected meanwhile. `str()` is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Microsoft Teams is disconnected. Connect it again instead."))


class RecreatedAccount(Exception):
    """Another account than the connected one signed in, but with the same user name and tenant."""


def answers_for(teams: TeamsConnection, tenant: Tenant) -> WizardAnswers:
    """Return the answers for a sign-in that renews this connection. Raises TenantProblem for another tenant."""
    if tenant.id != str(teams.tenant_id):
        name = teams.tenant_name or str(teams.tenant_id)
        raise TenantProblem(TeamsMessage.TENANT_OF_CONNECTION, tenant=name)
    return WizardAnswers(tenant.id, tenant.domain, method=teams.method, connection_id=teams.connection_id)


@transaction.atomic
def reauthorize_service_account(connection_id: int, actor: StaffMember, account: VerifiedServiceAccount) -> Connection:
    """Replace the sign-in of the same account.

    Raises RecreatedAccount, PlatformError for any other account, and Disconnected.
    """
    teams = _lock_live_connection(connection_id, actor, Method.SERVICE_ACCOUNT)
    if account.identity.oid != teams.account_oid and _has_same_name(account, teams):
        raise RecreatedAccount
    if (account.identity.oid, account.identity.tenant_id) != (teams.account_oid, str(teams.tenant_id)):
        raise _other_account_error(account, teams)
    return _finish_reauthorization(teams, actor, service_account_columns(account))


@transaction.atomic
def use_new_account(connection_id: int, actor: StaffMember, account: VerifiedServiceAccount) -> Connection:
    """Let an account with the same user name replace the connected one. Upcoming meetings follow in a worker.

    Raises PlatformError for an account with another name, AlreadyConnected if another connection of the organisation
    uses the account, and Disconnected.
    """
    teams = _lock_live_connection(connection_id, actor, Method.SERVICE_ACCOUNT)
    if not _has_same_name(account, teams):
        raise _other_account_error(account, teams)
    others = TeamsConnection.objects.filter(organization=teams.organization_id, method=teams.method).exclude(
        pk=teams.pk
    )
    if others.filter(tenant_id=teams.tenant_id, account_oid=account.identity.oid).exists():
        raise AlreadyConnected
    params = {"code": TeamsEvent.ACCOUNT_REPLACED, "account": account.identity.upn}
    record_event(teams.connection, EventKind.NOTED, actor, **params)
    connection = _finish_reauthorization(teams, actor, service_account_columns(account))
    request_follow(Connection.objects.get(pk=connection.pk))
    return connection


def _has_same_name(account: VerifiedServiceAccount, teams: TeamsConnection) -> bool:
    """Return whether tenant and user name are those of the connected account. Entra ignores the case of names."""
    connected = (str(teams.tenant_id), teams.account_upn.casefold())
    return (account.identity.tenant_id, account.identity.upn.casefold()) == connected


def _other_account_error(account: VerifiedServiceAccount, teams: TeamsConnection) -> PlatformError:
    names = {"other": account.identity.upn, "account": teams.account_upn}
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.OTHER_ACCOUNT, names))


@transaction.atomic
def reauthorize_access_policy(
    actor: StaffMember, answers: WizardAnswers, identity: Identity, roles: tuple[str, ...]
) -> Connection:
    """Replace the consent. Any administrator of the tenant may give it and becomes the account shown.

    Raises Disconnected, and PlatformError if the account may not consent for the tenant. The add-on isn't required: an
    existing connection can be reauthorized without it.
    """
    teams = _lock_live_connection(answers.connection_id or 0, actor, Method.ACCESS_POLICY)
    require_right_to_consent(teams.connection.organization, identity)
    connection = _finish_reauthorization(teams, actor, access_policy_columns(identity, roles, answers))
    note_unknown_roles(connection, actor, identity)
    return connection


def _lock_live_connection(connection_id: int, actor: StaffMember, method: Method) -> TeamsConnection:
    """Lock the connection, then return its Teams row. Every writer of both takes this order."""
    try:
        connection = Connection.objects.filter(organization=actor.organization_id).lock(connection_id)
    except Connection.DoesNotExist as error:
        raise Disconnected from error
    if not connection.is_live:
        raise Disconnected
    return TeamsConnection.objects.select_related("connection__organization").get(connection=connection, method=method)


def _finish_reauthorization(teams: TeamsConnection, actor: StaffMember, columns: dict[str, Any]) -> Connection:
    replace_sign_in(teams, columns)
    mark_reauthorized(teams.connection, actor)
    teams.connection.refresh_from_db()
    return teams.connection

"""Store a verified sign-in or consent as a connection, or revive the disconnected one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import AlreadyConnected, add_connection, revive_connection
from integrations.events import record_event
from integrations.messages import Message
from integrations.models import Connection, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.addons import ACCESS_POLICY, TEAMS
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra import user_tokens
from integrations.teams.entra.id_token import Identity
from integrations.teams.event_text import TeamsEvent
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import ConnectionRequest, RequestState, TeamsConnection
from staff.models import Organization, StaffMember


class NotOffered(Exception):
    """The organisation lacks the add-on. `str()` is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Optional add-on. Please contact your Customer Success Team to get started."))


@transaction.atomic
def connect_service_account(
    organization: Organization, actor: StaffMember, answers: WizardAnswers, account: VerifiedServiceAccount
) -> Connection:
    """Connect the account that signed in, or revive its disconnected connection.

    Raises AlreadyConnected and NotOffered.
    """
    # Two callbacks at once take turns here. The second one finds the connection of the first.
    locked = Organization.objects.lock(organization.pk)
    if not locked.has_addon(TEAMS.slug):
        raise NotOffered
    existing = _existing_connection(locked, answers, account_oid=account.identity.oid)
    return _add_or_revive(locked, actor, answers, existing, service_account_columns(account))


@transaction.atomic
def connect_access_policy(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    identity: Identity,
    roles: tuple[str, ...],
    *,
    is_confirmed: bool = False,
) -> Connection:
    """Connect the tenant whose administrator consented and signed in, or revive its disconnected connection.

    `is_confirmed` means that `actor` is the operator who confirmed the tenant, because Microsoft didn't send the
    account's roles.
    Raises AlreadyConnected, NotOffered, and PlatformError if the account may not consent for the tenant.
    """
    locked = lock_with_access_policy(organization.pk)
    require_right_to_consent(locked, identity)
    connection = _add_or_revive(
        locked,
        actor,
        answers,
        _existing_connection(locked, answers),
        access_policy_columns(identity, roles, answers),
    )
    if is_confirmed:
        record_event(connection, EventKind.NOTED, actor, code=TeamsEvent.TENANT_CONFIRMED, account=identity.upn)
    else:
        note_unknown_roles(connection, actor, identity)
    requests = ConnectionRequest.objects.filter(organization=locked, tenant_id=answers.tenant_id)
    requests.waiting().end(RequestState.CANCELLED)
    return connection


def lock_with_access_policy(organization_id: int) -> Organization:
    """Lock the organisation, so that its callbacks and confirmations take turns. Raises NotOffered."""
    organization = Organization.objects.lock(organization_id)
    if not (organization.has_addon(TEAMS.slug) and organization.has_addon(ACCESS_POLICY.slug)):
        raise NotOffered
    return organization


def _existing_connection(organization: Organization, answers: WizardAnswers, **account: str) -> TeamsConnection | None:
    return (
        TeamsConnection.objects.select_related("connection__organization")
        .filter(organization=organization, method=answers.method, tenant_id=answers.tenant_id, **account)
        .first()
    )


def _add_or_revive(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    existing: TeamsConnection | None,
    columns: dict[str, Any],
) -> Connection:
    if existing is None:
        return _add_teams_connection(organization, actor, answers, columns)
    connection = existing.connection
    if connection.is_live:
        raise AlreadyConnected
    revive_connection(connection, match_field=answers.match_field, actor=actor)
    replace_sign_in(existing, columns)
    return connection


def _add_teams_connection(
    organization: Organization, actor: StaffMember, answers: WizardAnswers, columns: dict[str, Any]
) -> Connection:
    connection = add_connection(
        organization, platform="teams", name="Microsoft Teams", match_field=answers.match_field, actor=actor
    )
    TeamsConnection.objects.create(
        connection=connection,
        organization=organization,
        method=answers.method,
        tenant_id=answers.tenant_id,
        **columns,
    )
    return connection


def replace_sign_in(teams: TeamsConnection, columns: dict[str, Any]) -> None:
    """Store a new sign-in or consent in a row whose connection is locked."""
    TeamsConnection.objects.filter(pk=teams.pk).replace_tokens(consented_at=Now(), **columns)


def service_account_columns(account: VerifiedServiceAccount) -> dict[str, Any]:
    """Return the columns that the account and its tokens fill."""
    return {
        **_account_columns(account.identity, account.tenant_name),
        **user_tokens.token_columns(account.tokens),
    }


def access_policy_columns(identity: Identity, roles: tuple[str, ...], answers: WizardAnswers) -> dict[str, Any]:
    """Return the columns that a consent fills. It brings no tokens to store."""
    return {
        **_account_columns(identity, answers.domain),
        "granted": list(roles),
        "tokens": {},
        "refreshed_at": Now(),
    }


def _account_columns(identity: Identity, tenant_name: str) -> dict[str, Any]:
    columns = {
        "account_oid": identity.oid,
        "account_upn": identity.upn[:320],
        "account_name": identity.name[:300],
    }
    # Keep the stored name if the admin typed the tenant id this time.
    return {**columns, "tenant_name": tenant_name[:200]} if tenant_name else columns


def require_right_to_consent(organization: Organization, identity: Identity) -> None:
    """Refuse an account with unknown roles if another organisation here has connected the tenant.

    A sign-in proves membership in the tenant, not the right to consent. Otherwise an employee could get the meetings of
    an employer that connected its tenant itself. Raises PlatformError.
    """
    if identity.directory_roles is not None or not _is_connected_elsewhere(organization, identity.tenant_id):
        return
    raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.ADMINISTRATOR_UNKNOWN, {"account": identity.upn}))


def _is_connected_elsewhere(organization: Organization, tenant_id: str) -> bool:
    """Disconnected ones count as well: a disconnect doesn't withdraw the consent at Microsoft."""
    return TeamsConnection.objects.filter(tenant_id=tenant_id).exclude(organization=organization).exists()


def note_unknown_roles(connection: Connection, actor: StaffMember, identity: Identity) -> None:
    """Record that only the sign-in to the tenant proves the right to consent."""
    if identity.directory_roles is None:
        record_event(connection, EventKind.NOTED, actor, code=TeamsEvent.UNKNOWN_ROLES, account=identity.upn)

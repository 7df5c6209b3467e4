"""The end of a connect: what Microsoft has proven becomes a connection, or revives the one there was."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import AlreadyConnected, add_connection, revive_connection
from integrations.events import note_event
from integrations.models import Connection, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.addons import ACCESS_POLICY, TEAMS
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.verification import ServiceAccount
from integrations.teams.entra import user_tokens
from integrations.teams.entra.id_token import Identity
from integrations.teams.models import TeamsConnection
from staff.models import Organization, StaffMember


class NotOffered(Exception):
    """The organisation lacks the add-on; `str()` is the sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Optional add-on. Please contact your Customer Success Team to get started."))


@transaction.atomic
def connect_service_account(
    organization: Organization, actor: StaffMember, answers: WizardAnswers, proven: ServiceAccount
) -> Connection:
    """Connect the account that signed in, or revive the connection that it had before.

    Raises AlreadyConnected and NotOffered.
    """
    locked = _lock(organization)
    if not locked.has_addon(TEAMS.slug):
        raise NotOffered
    known = _known(locked, answers, account_oid=proven.identity.oid)
    return _store(locked, actor, answers, known, service_account_columns(proven))


@transaction.atomic
def connect_access_policy(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    identity: Identity,
    roles: tuple[str, ...],
) -> Connection:
    """Connect the tenant whose administrator consented and signed in, or revive the connection that it had before.

    Raises AlreadyConnected, NotOffered, and PlatformError for somebody who may not speak for the tenant.
    """
    locked = _lock(organization)
    if not (locked.has_addon(TEAMS.slug) and locked.has_addon(ACCESS_POLICY.slug)):
        raise NotOffered
    require_right_to_consent(locked, identity)
    connection = _store(
        locked, actor, answers, _known(locked, answers), access_policy_columns(identity, roles, answers)
    )
    note_unknown_roles(connection, actor, identity)
    return connection


def _lock(organization: Organization) -> Organization:
    """Two returns at once take turns here; the second finds what the first has made."""
    return Organization.objects.lock(organization.pk)


def _known(organization: Organization, answers: WizardAnswers, **account: str) -> TeamsConnection | None:
    return (
        TeamsConnection.objects.select_related("connection__organization")
        .filter(organization=organization, method=answers.method, tenant_id=answers.tenant_id, **account)
        .first()
    )


def _store(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    known: TeamsConnection | None,
    columns: dict[str, Any],
) -> Connection:
    if known is None:
        return _add(organization, actor, answers, columns)
    connection = known.connection
    if connection.is_live:
        raise AlreadyConnected
    revive_connection(connection, match_field=answers.match_field, actor=actor)
    renew_sign_in(known, columns)
    return connection


def _add(
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


def renew_sign_in(teams: TeamsConnection, columns: dict[str, Any]) -> None:
    """Replace the sign-in of a row that is locked. Whoever is still busy with the former one writes nothing more."""
    TeamsConnection.objects.filter(pk=teams.pk).update(
        token_version=F("token_version") + 1,
        lease_token=None,
        lease_until=None,
        consented_at=Now(),
        **columns,
    )


def service_account_columns(proven: ServiceAccount) -> dict[str, Any]:
    """The account that signed in, and its tokens."""
    return {
        **_account_columns(proven.identity, proven.tenant_name),
        **user_tokens.store(proven.tokens),
    }


def access_policy_columns(
    identity: Identity, roles: tuple[str, ...], answers: WizardAnswers
) -> dict[str, Any]:
    """The administrator who consented. There are no tokens to store."""
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
    # What is known of the tenant's name is not forgotten for somebody who typed its id.
    return {**columns, "tenant_name": tenant_name[:200]} if tenant_name else columns


def require_right_to_consent(organization: Organization, identity: Identity) -> None:
    """Refuse somebody whose roles Microsoft does not tell, where the tenant belongs to another organisation here.

    A sign-in proves that somebody is of the tenant, not that they may speak for it: an employee could get the meetings
    of an employer that has connected its tenant itself. Raises PlatformError.
    """
    if identity.directory_roles is not None or not _is_connected_elsewhere(organization, identity.tenant_id):
        return
    sentence = _(
        "Microsoft does not say whether %(account)s is an administrator, and this Microsoft tenant is connected to "
        "another organisation already. Contact your Customer Success Team."
    )
    raise PlatformError(ErrorKind.CONNECTION, sentence % {"account": identity.upn})


def _is_connected_elsewhere(organization: Organization, tenant_id: str) -> bool:
    """Or was: a disconnect here takes no consent back at Microsoft."""
    return TeamsConnection.objects.filter(tenant_id=tenant_id).exclude(organization=organization).exists()


def note_unknown_roles(connection: Connection, actor: StaffMember, identity: Identity) -> None:
    """Leave a line in the history where the right to consent rests on the sign-in to the tenant alone."""
    if identity.directory_roles is None:
        words = _(
            "Microsoft did not say which administrator roles %(account)s has; the sign-in to the tenant was "
            "accepted as proof."
        )
        note_event(connection, EventKind.NOTED, actor, words % {"account": identity.upn})

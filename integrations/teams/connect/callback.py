"""Handle the redirect back from Microsoft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from integrations.messages import Message
from integrations.models import Connection
from integrations.teams.connect import verification
from integrations.teams.connect.pending_account import keep_pending_account
from integrations.teams.connect.reauthorize import (
    RecreatedAccount,
    reauthorize_access_policy,
    reauthorize_service_account,
)
from integrations.teams.connect.redirects import start_identification_step
from integrations.teams.connect.requests import needs_confirmation, request_confirmation
from integrations.teams.connect.runs import end_run, page_of_run
from integrations.teams.connect.session import (
    PendingConsent,
    PendingSignIn,
    Step,
    WizardAnswers,
    keep_pending_consent,
    note_missing_roles,
    pending_consent,
)
from integrations.teams.connect.store import connect_access_policy, connect_service_account
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra.id_token import Identity
from staff.models import Organization, StaffMember


@dataclass(frozen=True)
class NextStep:
    """The connection needs another step, at `address`."""

    address: str


@dataclass(frozen=True)
class Finished:
    """The connection is stored. `warning` says what may keep it from hosting, and is empty if nothing does."""

    connection: Connection
    warning: Message = field(default_factory=Message)


CallbackResult = Finished | NextStep


def handle_callback(
    session: SessionBase,
    pending: PendingSignIn,
    organization: Organization,
    actor: StaffMember,
    query: Mapping[str, str],
) -> CallbackResult:
    """Return the stored connection, or the next step. Stores nothing before Microsoft's answers are verified.

    Without administrator roles from Microsoft, a new tenant is only requested, and the next step is the request's page.
    Raises PlatformError, AlreadyConnected, NotOffered and Disconnected.
    """
    answers = pending.answers
    if pending.step == Step.SIGN_IN:
        account = verification.verify_service_account(answers.tenant_id, answers.domain, pending.flow, query)
        if answers.connection_id is not None:
            return _reauthorize(session, answers.connection_id, actor, account)
        return Finished(connect_service_account(organization, actor, answers, account), account.warning)
    if pending.step == Step.CONSENT:
        verification.require_consent(answers.tenant_id, query)
        return NextStep(start_identification_step(session, pending.run, answers))
    identity = verification.verify_administrator(answers.tenant_id, pending.flow, query)
    keep_pending_consent(session, pending.run, PendingConsent(answers, _identity_to_json(identity)))
    return finish_consent(session, pending.run, organization, actor)


def _reauthorize(
    session: SessionBase, connection_id: int, actor: StaffMember, account: VerifiedServiceAccount
) -> CallbackResult:
    """Reauthorize, or return the page on which the admin decides about a recreated account."""
    try:
        return Finished(reauthorize_service_account(connection_id, actor, account), account.warning)
    except RecreatedAccount:
        keep_pending_account(session, connection_id, account)
        return NextStep(reverse("teams-new-account", args=[connection_id]))


def finish_consent(session: SessionBase, run: str, organization: Organization, actor: StaffMember) -> CallbackResult:
    """Store the connection of a run's consent. If app tokens don't show the consent yet, return the waiting page.

    Raises as `handle_callback`, and PendingSignInExpired without a pending consent.
    """
    consent = pending_consent(session, run)
    answers, identity = consent.answers, _identity_from_json(consent.account)
    if needs_confirmation(organization, answers, identity):
        request = request_confirmation(organization, actor, answers, identity)
        end_run(session, run)
        return NextStep(reverse("teams-request", args=[request.pk]))
    try:
        roles = verification.read_roles(answers.tenant_id)
    except verification.RolesMissing as problem:
        note_missing_roles(session, run, problem.roles)
        return NextStep(page_of_run("teams-waiting", run))
    return Finished(_store_consent(organization, actor, answers, identity, roles))


def _store_consent(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    identity: Identity,
    roles: tuple[str, ...],
) -> Connection:
    if answers.connection_id is not None:
        return reauthorize_access_policy(actor, answers, identity, roles)
    return connect_access_policy(organization, actor, answers, identity, roles)


def _identity_to_json(identity: Identity) -> dict[str, Any]:
    roles = identity.directory_roles
    return {**asdict(identity), "directory_roles": None if roles is None else sorted(roles)}


def _identity_from_json(account: Mapping[str, Any]) -> Identity:
    roles = account["directory_roles"]
    return Identity(**{**account, "directory_roles": None if roles is None else frozenset(roles)})

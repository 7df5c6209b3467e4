"""Back from Microsoft: what the return means for the trip that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from integrations.models import Connection
from integrations.teams.connect import session as wizard
from integrations.teams.connect import verification
from integrations.teams.connect.reauthorize import reauthorize_access_policy, reauthorize_service_account
from integrations.teams.connect.redirects import depart_to_prove
from integrations.teams.connect.session import PendingSignIn, Proven, Step, WizardAnswers
from integrations.teams.connect.store import connect_access_policy, connect_service_account
from integrations.teams.entra.id_token import Identity
from staff.models import Organization, StaffMember


@dataclass(frozen=True)
class Onward:
    """There is one more step, at `address`."""

    address: str


Outcome = Connection | Onward


def arrive(
    session: SessionBase,
    attempt: PendingSignIn,
    organization: Organization,
    actor: StaffMember,
    query: Mapping[str, str],
) -> Outcome:
    """Take a return: a connection, or the next step. Nothing is stored before Microsoft has proven everything.

    Raises PlatformError, AlreadyConnected, NotOffered and Disconnected.
    """
    answers = attempt.answers
    if attempt.leg == Step.SIGN_IN:
        proven = verification.prove_service_account(answers.tenant_id, answers.domain, attempt.flow, query)
        if answers.connection_id is not None:
            return reauthorize_service_account(answers.connection_id, actor, proven)
        return connect_service_account(organization, actor, answers, proven)
    if attempt.leg == Step.CONSENT:
        verification.require_consent(answers.tenant_id, query)
        return Onward(depart_to_prove(session, answers))
    identity = verification.prove_administrator(answers.tenant_id, attempt.flow, query)
    wizard.keep_proven(session, Proven(answers, _json(identity)))
    return settle(session, organization, actor)


def settle(session: SessionBase, organization: Organization, actor: StaffMember) -> Outcome:
    """Finish what an administrator has consented to, or wait: a fresh consent may take a while until it shows.

    Raises as `arrive`, and PendingSignInExpired when nobody has just consented.
    """
    proven = wizard.proven(session)
    answers, identity = proven.answers, _identity(proven.account)
    try:
        roles = verification.read_roles(answers.tenant_id)
    except verification.RolesMissing as problem:
        wizard.note_missing(session, problem.roles)
        return Onward(reverse("teams-waiting"))
    return _store(organization, actor, answers, identity, roles)


def _store(
    organization: Organization,
    actor: StaffMember,
    answers: WizardAnswers,
    identity: Identity,
    roles: tuple[str, ...],
) -> Connection:
    if answers.connection_id is not None:
        return reauthorize_access_policy(actor, answers, identity, roles)
    return connect_access_policy(organization, actor, answers, identity, roles)


def _json(identity: Identity) -> dict[str, Any]:
    roles = identity.directory_roles
    return {**asdict(identity), "directory_roles": None if roles is None else sorted(roles)}


def _identity(account: Mapping[str, Any]) -> Identity:
    roles = account["directory_roles"]
    return Identity(**{**account, "directory_roles": None if roles is None else frozenset(roles)})

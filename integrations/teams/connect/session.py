"""What the session remembers: the wizard's answers, and the trips to Microsoft that are under way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from integrations.models import MatchField
from integrations.teams.models import Method

_ANSWERS: Final = "teams_wizard"
_ATTEMPTS: Final = "teams_sign_ins"
_PROVEN: Final = "teams_proven"
PENDING_SIGN_IN_SECONDS: Final = 15 * 60
# Pages of Microsoft that never send anybody back leave attempts behind.
_MOST_ATTEMPTS: Final = 5


class PendingSignInExpired(Exception):
    """A return that no trip of this session is waiting for; the text is a sentence."""


class Step(StrEnum):
    """What a trip to Microsoft is for."""

    SIGN_IN = "sign_in"  # the service account signs in and accepts the permissions
    CONSENT = "consent"  # an administrator accepts for the organisation
    PROOF = "proof"  # the same person shows who they are, for a consent can be forged


@dataclass(frozen=True)
class WizardAnswers:
    """What was asked for: the resolved tenant, the domain if one was typed, the field with the UPN, the method.

    `connection_id` is the connection to reauthorize; None connects a new one.
    """

    tenant_id: str
    domain: str
    match_field: str = MatchField.EMAIL
    method: str = Method.SERVICE_ACCOUNT
    connection_id: int | None = None


@dataclass(frozen=True)
class PendingSignIn:
    """A trip under way. `flow` is MSAL's: its verifier and nonce never leave the session."""

    leg: Step
    answers: WizardAnswers
    flow: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proven:
    """An administrator who has consented and signed in, while the consent does not show in tokens yet.

    `account` holds the arguments of `identity.Identity`, JSON-ready; `missing` names the permissions that did not show
    at the last look.
    """

    answers: WizardAnswers
    account: Mapping[str, Any]
    missing: tuple[str, ...] = ()


def answers(session: SessionBase) -> dict[str, str]:
    """What was answered so far: `method`, `match_field`, `tenant` (as typed)."""
    found: dict[str, str] = session.get(_ANSWERS, {})
    return found


def remember(session: SessionBase, **given: str) -> None:
    """Keep answers for the pages that follow, and for every way back."""
    session[_ANSWERS] = {**answers(session), **given}


def forget(session: SessionBase) -> None:
    """The wizard is finished."""
    session.pop(_ANSWERS, None)
    session.pop(_PROVEN, None)


def keep_pending_sign_in(session: SessionBase, state: str, attempt: PendingSignIn) -> None:
    """Remember a trip until its return, which brings the same `state`."""
    attempts = {**session.get(_ATTEMPTS, {}), state: {**asdict(attempt), "started_at": time.time()}}
    newest = sorted(attempts, key=lambda each: attempts[each]["started_at"])[-_MOST_ATTEMPTS:]
    session[_ATTEMPTS] = {each: attempts[each] for each in newest}


def take_pending_sign_in(session: SessionBase, state: str) -> PendingSignIn:
    """The trip that a return belongs to; it can be taken once. Raises PendingSignInExpired."""
    attempts = session.get(_ATTEMPTS, {})
    kept = attempts.pop(state, None)
    if kept is None:
        raise PendingSignInExpired(
            _(
                "This way back from Microsoft was used before, or belongs to a sign-in that was not started here."
            )
        )
    session[_ATTEMPTS] = attempts
    _require_young(kept)
    return PendingSignIn(Step(kept["leg"]), WizardAnswers(**kept["answers"]), kept["flow"])


def keep_proven(session: SessionBase, proven: Proven) -> None:
    """Remember who consented, until the consent shows."""
    session[_PROVEN] = {**asdict(proven), "started_at": time.time()}


def note_missing(session: SessionBase, roles: Sequence[str]) -> None:
    """Remember which permissions did not show; the quarter of an hour goes on."""
    session[_PROVEN] = {**session[_PROVEN], "missing": list(roles)}


def proven(session: SessionBase) -> Proven:
    """Who consented and signed in within the last quarter of an hour. Raises PendingSignInExpired."""
    kept = session.get(_PROVEN)
    if kept is None:
        raise PendingSignInExpired(_("Nobody has just consented at Microsoft."))
    _require_young(kept)
    return Proven(WizardAnswers(**kept["answers"]), kept["account"], tuple(kept["missing"]))


def _require_young(kept: Mapping[str, Any]) -> None:
    if kept["started_at"] < time.time() - PENDING_SIGN_IN_SECONDS:
        raise PendingSignInExpired(
            _("The sign-in at Microsoft took longer than 15 minutes, so it was not accepted.")
        )

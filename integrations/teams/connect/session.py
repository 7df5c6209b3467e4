"""State of the connect wizard in the session: answers, pending sign-ins and the pending consent."""

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

_ANSWERS_KEY: Final = "teams_wizard"
_PENDING_SIGN_INS_KEY: Final = "teams_sign_ins"
_PENDING_CONSENT_KEY: Final = "teams_pending_consent"
PENDING_SIGN_IN_SECONDS: Final = 15 * 60
# Microsoft shows some errors on its own pages and never redirects back, so pending sign-ins are left over.
_MAX_PENDING_SIGN_INS: Final = 5


class PendingSignInExpired(Exception):
    """The session holds no pending sign-in for this callback, or it is too old. `str()` is a sentence for people."""


class Step(StrEnum):
    """Step of a sign-in at Microsoft."""

    SIGN_IN = "sign_in"  # the service account signs in and accepts the permissions
    CONSENT = "consent"  # an administrator consents for the organisation
    IDENTIFICATION = "identification"  # the administrator signs in, because a consent redirect can be forged


@dataclass(frozen=True)
class WizardAnswers:
    """Input that a sign-in is for: resolved tenant, domain if one was typed, match field and method.

    `connection_id` is the connection to reauthorize. None connects a new one.
    """

    tenant_id: str
    domain: str
    match_field: str = MatchField.EMAIL
    method: str = Method.SERVICE_ACCOUNT
    connection_id: int | None = None


@dataclass(frozen=True)
class PendingSignIn:
    """An open sign-in. `flow` is MSAL's; its code verifier and nonce never leave the session."""

    step: Step
    answers: WizardAnswers
    flow: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PendingConsent:
    """The consent of a verified administrator that app tokens don't show yet.

    `account` holds the arguments of `id_token.Identity`, ready for JSON. `missing` names the roles that the last app
    token lacked.
    """

    answers: WizardAnswers
    account: Mapping[str, Any]
    missing: tuple[str, ...] = ()


def wizard_answers(session: SessionBase) -> dict[str, str]:
    """Return the answers so far: `method`, `match_field`, `tenant` (as typed), `acknowledged`."""
    answers: dict[str, str] = session.get(_ANSWERS_KEY, {})
    return answers


def save_answers(session: SessionBase, **answers: str) -> None:
    """Add answers. They stay when the admin returns from Microsoft without a connection."""
    session[_ANSWERS_KEY] = {**wizard_answers(session), **answers}


def clear_wizard(session: SessionBase) -> None:
    """Drop the answers and the pending consent."""
    session.pop(_ANSWERS_KEY, None)
    session.pop(_PENDING_CONSENT_KEY, None)


def keep_pending_sign_in(session: SessionBase, state: str, pending: PendingSignIn) -> None:
    """Store a sign-in under its OAuth `state`."""
    entries = {
        **session.get(_PENDING_SIGN_INS_KEY, {}),
        state: {**asdict(pending), "started_at": time.time()},
    }
    newest = sorted(entries, key=lambda key: entries[key]["started_at"])[-_MAX_PENDING_SIGN_INS:]
    session[_PENDING_SIGN_INS_KEY] = {key: entries[key] for key in newest}


def take_pending_sign_in(session: SessionBase, state: str) -> PendingSignIn:
    """Remove and return the sign-in with this OAuth `state`. Raises PendingSignInExpired."""
    entries = session.get(_PENDING_SIGN_INS_KEY, {})
    entry = entries.pop(state, None)
    if entry is None:
        raise PendingSignInExpired(
            _("This way back from Microsoft was used before, or belongs to a sign-in that was not started here.")
        )
    session[_PENDING_SIGN_INS_KEY] = entries
    _require_recent(entry)
    return PendingSignIn(Step(entry["step"]), WizardAnswers(**entry["answers"]), entry["flow"])


def keep_pending_consent(session: SessionBase, consent: PendingConsent) -> None:
    """Store a consent until app tokens show it."""
    session[_PENDING_CONSENT_KEY] = {**asdict(consent), "started_at": time.time()}


def note_missing_roles(session: SessionBase, roles: Sequence[str]) -> None:
    """Store the roles that the last app token lacked. The time limit of the consent stays."""
    session[_PENDING_CONSENT_KEY] = {**session[_PENDING_CONSENT_KEY], "missing": list(roles)}


def pending_consent(session: SessionBase) -> PendingConsent:
    """Return the consent of the last 15 minutes. Raises PendingSignInExpired."""
    entry = session.get(_PENDING_CONSENT_KEY)
    if entry is None:
        raise PendingSignInExpired(_("Nobody has just consented at Microsoft."))
    _require_recent(entry)
    return PendingConsent(WizardAnswers(**entry["answers"]), entry["account"], tuple(entry["missing"]))


def _require_recent(entry: Mapping[str, Any]) -> None:
    if entry["started_at"] < time.time() - PENDING_SIGN_IN_SECONDS:
        raise PendingSignInExpired(_("The sign-in at Microsoft took longer than 15 minutes, so it was not accepted."))

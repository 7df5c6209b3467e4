"""Pending sign-ins and consents at Microsoft, in the session."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from integrations.models import MatchField
from integrations.teams.connect.runs import consent_of, save_consent
from integrations.teams.models import Method

# Another key than before runs existed: entries without a run must not be read.
_PENDING_SIGN_INS_KEY: Final = "teams_pending_sign_ins"
PENDING_SIGN_IN_SECONDS: Final = 15 * 60
# Microsoft shows some errors on its own pages and never redirects back, so pending sign-ins are left over.
_MAX_PENDING_SIGN_INS: Final = 5


class PendingSignInExpired(Exception):
    """The session holds no pending sign-in for this callback, or it is too old. `str()` is a sentence for people.

    `run` is the run that the sign-in belongs to, "" if that isn't known.
    """

    def __init__(self, sentence: str, run: str = "") -> None:
        super().__init__(sentence)
        self.run = run


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
    """An open sign-in. `flow` is MSAL's; its code verifier and nonce never leave the session.

    `address` is Microsoft's page. `run` is the run of the tab that the sign-in was started in.
    """

    step: Step
    answers: WizardAnswers
    run: str
    address: str
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
        raise _unknown_sign_in()
    session[_PENDING_SIGN_INS_KEY] = entries
    _require_recent(entry, entry["run"])
    return PendingSignIn(
        Step(entry["step"]), WizardAnswers(**entry["answers"]), entry["run"], entry["address"], entry["flow"]
    )


def open_pending_sign_in(session: SessionBase, run: str) -> tuple[str, bool]:
    """Return Microsoft's address for the newest sign-in of a run, and whether it is opened for the first time.

    Raises PendingSignInExpired.
    """
    entries = session.get(_PENDING_SIGN_INS_KEY, {})
    of_run = [entry for entry in entries.values() if entry["run"] == run]
    if not of_run:
        raise _unknown_sign_in(run)
    newest = max(of_run, key=lambda entry: float(entry["started_at"]))
    _require_recent(newest, run)
    is_first = not newest.get("is_opened", False)
    newest["is_opened"] = True
    session[_PENDING_SIGN_INS_KEY] = entries
    return str(newest["address"]), is_first


def keep_pending_consent(session: SessionBase, run: str, consent: PendingConsent) -> None:
    """Store the consent of a run until app tokens show it."""
    save_consent(session, run, {**asdict(consent), "started_at": time.time()})


def note_missing_roles(session: SessionBase, run: str, roles: Sequence[str]) -> None:
    """Store the roles that the last app token lacked. The time limit of the consent stays."""
    save_consent(session, run, {**(consent_of(session, run) or {}), "missing": list(roles)})


def pending_consent(session: SessionBase, run: str) -> PendingConsent:
    """Return the run's consent of the last 15 minutes. Raises PendingSignInExpired."""
    entry = consent_of(session, run)
    if entry is None:
        raise PendingSignInExpired(_("No consent given at Microsoft is waiting here."), run)
    _require_recent(entry, run)
    return PendingConsent(WizardAnswers(**entry["answers"]), entry["account"], tuple(entry["missing"]))


def _unknown_sign_in(run: str = "") -> PendingSignInExpired:
    return PendingSignInExpired(
        _("This way back from Microsoft was used before, or belongs to a sign-in that was not started here."), run
    )


def _require_recent(entry: Mapping[str, Any], run: str) -> None:
    if entry["started_at"] < time.time() - PENDING_SIGN_IN_SECONDS:
        raise PendingSignInExpired(
            _("The sign-in at Microsoft took longer than 15 minutes, so it was not accepted."), run
        )

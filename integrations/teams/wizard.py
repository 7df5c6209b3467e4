"""What the connect wizard remembers in the session: the answers, and the sign-ins that are under way at Microsoft."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.models import MatchField
from integrations.teams import login
from integrations.teams.connecting import Answers
from integrations.teams.tenants import resolve_tenant

_ANSWERS: Final = "teams_wizard"
_ATTEMPTS: Final = "teams_sign_ins"
ATTEMPT_SECONDS: Final = 15 * 60
# Pages of Microsoft that never send anybody back leave attempts behind.
_MOST_ATTEMPTS: Final = 5


class AttemptGone(Exception):
    """A return that no sign-in of this session is waiting for; the text is a sentence."""


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way. `flow` is MSAL's: its verifier and nonce never leave the session."""

    flow: Mapping[str, Any]
    answers: Answers


def answers(session: SessionBase) -> dict[str, str]:
    """What was answered so far: `match_field`, `tenant` (as typed)."""
    found: dict[str, str] = session.get(_ANSWERS, {})
    return found


def remember(session: SessionBase, **given: str) -> None:
    """Keep answers for the pages that follow, and for every way back."""
    session[_ANSWERS] = {**answers(session), **given}


def forget(session: SessionBase) -> None:
    """The wizard is finished."""
    session.pop(_ANSWERS, None)


def start_sign_in(session: SessionBase, typed: str) -> str:
    """Resolve the tenant, keep an attempt and return where to send the browser.

    Raises TenantProblem and PlatformError; nothing but the session is written.
    """
    tenant = resolve_tenant(typed)
    flow = login.start_sign_in(tenant.id, settings.BASE_URL + reverse("teams-callback"))
    address = str(flow.pop("auth_uri"))
    match_field = answers(session).get("match_field", MatchField.EMAIL)
    _keep(session, str(flow["state"]), Attempt(flow, Answers(tenant.id, tenant.domain, match_field)))
    return address


def take_attempt(session: SessionBase, state: str) -> Attempt:
    """The attempt that a return belongs to; it can be taken once. Raises AttemptGone."""
    attempts = session.get(_ATTEMPTS, {})
    kept = attempts.pop(state, None)
    if kept is None:
        raise AttemptGone(
            _(
                "This way back from Microsoft was used before, or belongs to a sign-in that was not started here."
            )
        )
    session[_ATTEMPTS] = attempts
    if kept["started_at"] < time.time() - ATTEMPT_SECONDS:
        raise AttemptGone(_("The sign-in at Microsoft took longer than 15 minutes, so it was not accepted."))
    return Attempt(kept["flow"], Answers(**kept["answers"]))


def _keep(session: SessionBase, state: str, attempt: Attempt) -> None:
    started = {"flow": dict(attempt.flow), "answers": asdict(attempt.answers), "started_at": time.time()}
    attempts = {**session.get(_ATTEMPTS, {}), state: started}
    newest = sorted(attempts, key=lambda each: attempts[each]["started_at"])[-_MOST_ATTEMPTS:]
    session[_ATTEMPTS] = {each: attempts[each] for each in newest}

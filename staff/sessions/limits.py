"""When a session is over."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from staff.models import StaffMember
from staff.sessions.models import DEFAULT_IDLE_MINUTES, MAX_AGE, StaffSession

_HOUR: Final = timedelta(hours=1)


class EndReason(StrEnum):
    """The limit or change that ended a session. The audit log stores the value."""

    ENDED = "ended"
    TOO_OLD = "too_old"
    IDLE = "idle"


def reason_to_end(session: StaffSession | None, member: StaffMember) -> EndReason | None:
    """Return why the session is over, or None while it lasts."""
    now = timezone.now()
    if session is None:
        return EndReason.ENDED
    if session.is_too_old(now):
        return EndReason.TOO_OLD
    return EndReason.IDLE if session.is_idle(now, timedelta(minutes=idle_minutes(member))) else None


def limits_of(member: StaffMember) -> dict[str, int]:
    """Return the limits of a member's sessions: `hours` after the sign-in, and `minutes` without activity."""
    return {"hours": MAX_AGE // _HOUR, "minutes": idle_minutes(member)}


def end_sentence(reason: EndReason, member: StaffMember) -> str:
    """Return a sentence for the sign-in page."""
    sentences = {
        EndReason.ENDED: _("Your session has ended. Sign in again."),
        EndReason.TOO_OLD: _("You were signed out because you signed in %(hours)d hours ago."),
        EndReason.IDLE: _("You were signed out after %(minutes)d minutes without activity."),
    }
    return sentences[reason] % limits_of(member)


def idle_minutes(member: StaffMember) -> int:
    """Return the organisation's limit in minutes. Operators have the default."""
    return member.organization.idle_minutes if member.organization else DEFAULT_IDLE_MINUTES

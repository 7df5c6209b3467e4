"""When a session is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from staff.models import StaffMember
from staff.sessions.models import DEFAULT_IDLE_MINUTES, MAX_AGE, StaffSession

_HOUR: Final = timedelta(hours=1)


def reason_to_end(session: StaffSession | None, member: StaffMember) -> str:
    """Return a sentence for the sign-in page if the session is over, otherwise an empty string."""
    now, minutes = timezone.now(), idle_minutes(member)
    if session is None:
        return _("Your session has ended. Sign in again.")
    if session.is_too_old(now):
        return _("You were signed out because you signed in %(hours)d hours ago.") % {"hours": MAX_AGE // _HOUR}
    if session.is_idle(now, timedelta(minutes=minutes)):
        return _("You were signed out after %(minutes)d minutes without activity.") % {"minutes": minutes}
    return ""


def idle_minutes(member: StaffMember) -> int:
    """Return the organisation's limit in minutes. Operators have the default."""
    return member.organization.idle_minutes if member.organization else DEFAULT_IDLE_MINUTES

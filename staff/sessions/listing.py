"""The list of a staff member's own sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from staff.models import StaffMember
from staff.sessions.current import current_session
from staff.sessions.devices import device_name
from staff.sessions.limits import idle_minutes
from staff.sessions.models import MAX_AGE


@dataclass(frozen=True)
class SessionRow:
    """A session in the list. `device` is, for example, "Chrome on Windows"."""

    device: str
    address: str
    started_at: datetime
    last_active_at: datetime
    is_current: bool


def session_rows(request: HttpRequest, member: StaffMember) -> Sequence[SessionRow]:
    """Return the sessions of `member` that are not over, this browser's first."""
    now, current = timezone.now(), current_session(request)
    sessions = member.sessions.filter(
        auth_hash=member.get_session_auth_hash(),
        started_at__gt=now - MAX_AGE,
        last_active_at__gt=now - timedelta(minutes=idle_minutes(member)),
    )
    rows = [
        SessionRow(
            device_name(session.user_agent),
            session.address,
            session.started_at,
            session.last_active_at,
            session == current,
        )
        for session in sessions
    ]
    return sorted(rows, key=lambda row: not row.is_current)

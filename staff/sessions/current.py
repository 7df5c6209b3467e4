"""The session of a request: start it, find it, keep it after a change, end the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone

from coconut.rate_limits import client_address
from staff.models import StaffMember
from staff.sessions.models import StaffSession

_SESSION_KEY: Final = "staff_session"
#: The time of the last activity is written at most this often.
_TOUCH_EVERY: Final = timedelta(minutes=1)


def start_session(request: HttpRequest, member: StaffMember) -> None:
    """Store a row for the browser in which `member` has just signed in. It replaces an earlier one of the browser."""
    end_session(request)
    session = StaffSession.objects.create(
        staff=member,
        auth_hash=request.session[HASH_SESSION_KEY],
        address=_address_of(request),
        user_agent=request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[:300],
    )
    request.session[_SESSION_KEY] = session.pk


def current_session(request: HttpRequest) -> StaffSession | None:
    """Return the row of this browser's session. None if it was ended. At most one query for each request."""
    if not hasattr(request, "_staff_session"):
        pk = request.session.get(_SESSION_KEY)
        session = StaffSession.objects.filter(pk=pk, staff=request.user.pk).first() if pk else None
        request._staff_session = session  # type: ignore[attr-defined]
    found: StaffSession | None = request._staff_session  # type: ignore[attr-defined]
    return found


def touch_session(request: HttpRequest, session: StaffSession) -> None:
    """Write that the person is active, at most once a minute."""
    now, auth_hash = timezone.now(), request.session[HASH_SESSION_KEY]
    if now - session.last_active_at < _TOUCH_EVERY and session.auth_hash == auth_hash:
        return
    session.last_active_at, session.auth_hash, session.address = now, auth_hash, _address_of(request)
    # Not save(), which would insert a row that was deleted meanwhile.
    StaffSession.objects.filter(pk=session.pk).update(last_active_at=now, auth_hash=auth_hash, address=session.address)


def record_password(request: HttpRequest) -> None:
    """Write that the person has just entered the password."""
    if session := current_session(request):
        session.password_entered_at = timezone.now()
        StaffSession.objects.filter(pk=session.pk).update(password_entered_at=session.password_entered_at)


def keep_session(request: HttpRequest, member: StaffMember) -> None:
    """Keep this browser signed in after a change of the member's own account."""
    member.refresh_from_db(fields=["session_generation", "password"])
    update_session_auth_hash(request, member)


def end_session(request: HttpRequest) -> bool:
    """Delete the row of this browser's session. Return whether there was one."""
    pk = request.session.get(_SESSION_KEY)
    return bool(pk and StaffSession.objects.filter(pk=pk).delete()[0])


def end_other_sessions(request: HttpRequest, member: StaffMember) -> None:
    """Sign `member` out in all other browsers."""
    current = current_session(request)
    member.sessions.exclude(pk=current.pk if current else 0).delete()


def _address_of(request: HttpRequest) -> str:
    return client_address(request)[:64]

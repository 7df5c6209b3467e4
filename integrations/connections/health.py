"""How a connection does: one line for its dashboard, and what its page "Health and history" shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from integrations.models import Connection, ConnectionStatus, RematchRun
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of


@dataclass(frozen=True)
class Health:
    """One line: `label` says it in a word or two, `sentence` why and what to do. `tone` is ok, waiting or bad."""

    tone: str
    label: str
    sentence: str


@dataclass(frozen=True)
class Work:
    """What is under way: meetings that the platform does not agree with yet, and a rematch of everybody."""

    meetings: int
    run: RematchRun | None


def health_of(connection: Connection) -> Health:
    """How the connection does, from its row alone."""
    label = str(ConnectionStatus(connection.status).label)
    if not connection.is_healthy:
        return Health("bad", label, str(connection.status_reason))
    hindrance = _hindrance(connection)
    if hindrance:
        return Health("waiting", _("Connected, but waiting"), hindrance)
    return Health("ok", label, _last_answer(connection))


def work_of(connection: Connection) -> Work:
    """What workers have to do for the connection. Two queries."""
    return Work(
        connection.meetings.filter(due_at__isnull=False).count(),
        connection.rematch_runs.running().rematches().first(),
    )


def paused_until(connection: Connection) -> datetime | None:
    """Until when the platform asked everybody to wait; None when it did not, or that is over."""
    until = connection.paused_until
    return until if until is not None and until > timezone.now() else None


def _hindrance(connection: Connection) -> str:
    until = paused_until(connection)
    if until is not None:
        sentence = _("%(platform)s asked Coconut to wait until %(time)s. Coconut goes on by itself then.")
        return sentence % {"platform": platform_of(connection).label, "time": _clock(until)}
    if not connection.trouble_kind:
        return ""
    since = _("Since %(time)s: %(sentence)s") % {
        "time": _clock(connection.trouble_since or timezone.now()),
        "sentence": connection.trouble,
    }
    if connection.trouble_kind == ErrorKind.OPERATOR:
        return f"{since} {_('Appointments can be booked; their links follow by themselves.')}"
    if connection.probe_at is None or connection.probe_at <= timezone.now():
        return since
    return f"{since} {_('The next try is at %(time)s.') % {'time': _clock(connection.probe_at)}}"


def _last_answer(connection: Connection) -> str:
    platform = platform_of(connection).label
    if connection.last_success_at is None:
        return _("%(platform)s was not asked for anything yet.") % {"platform": platform}
    if timezone.now() - connection.last_success_at < timedelta(minutes=1):
        return _("%(platform)s has just answered.") % {"platform": platform}
    ago = timesince(connection.last_success_at)
    return _("%(platform)s last answered %(ago)s ago.") % {"platform": platform, "ago": ago}


def _clock(moment: datetime) -> str:
    """The time in the reader's zone, with the day where it is not today."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localdate()
    return date_format(local, "H:i" if is_today else "j M, H:i")

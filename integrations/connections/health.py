"""Health of a connection: the line on its dashboard, and the data of its page "Health and history"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from integrations.models import Connection, ConnectionEvent, ConnectionStatus, RematchRun
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.registry import platform_of
from staff.clock import format_time


@dataclass(frozen=True)
class Health:
    """Health in one line. `tone` is ok, waiting or bad; `sentence` says the reason and the remedy."""

    tone: str
    label: str
    sentence: str


@dataclass(frozen=True)
class PendingWork:
    """Work that isn't done: the number of meetings that aren't in sync, and the running rematch."""

    meetings: int
    run: RematchRun | None


def health_of(connection: Connection) -> Health:
    """Return the health of the connection. No query."""
    label = str(ConnectionStatus(connection.status).label)
    if not connection.is_healthy:
        return Health("bad", label, str(connection.status_reason))
    waiting_reason = _waiting_reason(connection)
    if waiting_reason:
        return Health("waiting", _("Connected, but waiting"), waiting_reason)
    return Health("ok", label, _last_answer_sentence(connection))


def pending_work_of(connection: Connection) -> PendingWork:
    """Return the work that workers have to do for the connection. Two queries."""
    return PendingWork(
        connection.meetings.filter(due_at__isnull=False).count(),
        connection.rematch_runs.running().rematches().first(),
    )


def events_of(connection: Connection) -> QuerySet[ConnectionEvent]:
    """Return the audit trail, the latest first, with actors.

    Actors are prefetched rather than joined, so that PostgreSQL walks the index and stops after a page.
    """
    return connection.events.prefetch_related("actor")


def paused_until(connection: Connection) -> datetime | None:
    """Return the end of the pause that the platform requested; None if there is no pause."""
    until = connection.paused_until
    return until if until is not None and until > timezone.now() else None


def _waiting_reason(connection: Connection) -> str:
    until = paused_until(connection)
    if until is not None:
        sentence = _("%(platform)s asked Coconut to wait until %(time)s. Coconut then continues automatically.")
        return sentence % {"platform": platform_of(connection).label, "time": _time_label(until)}
    if not connection.trouble_kind:
        return _lookup_pause_sentence(connection)
    since = _("Since %(time)s: %(sentence)s") % {
        "time": _time_label(connection.trouble_since or timezone.now()),
        "sentence": connection.trouble,
    }
    if connection.trouble_kind == ErrorKind.OPERATOR:
        return f"{since} {_('Appointments can be booked; their links follow by themselves.')}"
    if connection.probe_at is None or connection.probe_at <= timezone.now():
        return since
    return f"{since} {_('The next try is at %(time)s.') % {'time': _time_label(connection.probe_at)}}"


def _lookup_pause_sentence(connection: Connection) -> str:
    due_at = connection.lookup_due_at
    if connection.lookup_failures < MOST_UNUSABLE_ANSWERS or due_at is None or due_at <= timezone.now():
        return ""
    sentence = _(
        "New and changed staff could not be looked up %(times)s times in a row. Coconut tries again at %(time)s. "
        "To try now, choose Rematch users."
    )
    return sentence % {"times": connection.lookup_failures, "time": _time_label(due_at)}


def _last_answer_sentence(connection: Connection) -> str:
    platform = platform_of(connection).label
    if connection.last_success_at is None:
        return _("%(platform)s was not asked for anything yet.") % {"platform": platform}
    if timezone.now() - connection.last_success_at < timedelta(minutes=1):
        return _("%(platform)s has just answered.") % {"platform": platform}
    ago = timesince(connection.last_success_at)
    return _("%(platform)s last answered %(ago)s ago.") % {"platform": platform, "ago": ago}


def _time_label(time: datetime) -> str:
    """Return the time in the reader's zone, with the day unless it is today."""
    local = timezone.localtime(time)
    is_today = local.date() == timezone.localdate()
    return format_time(local) if is_today else f"{date_format(local, 'j M')}, {format_time(local)}"

"""The drift watch: who of those who matter would not be matched any more, found out before a client does.

Every night, and without changing any match: only a rematch does that. Those matter who have video meetings in the
coming week or whose Video Calls is on. Where the platform tells who changed in its directory only those are looked up;
elsewhere those who host in the coming week.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from integrations import circuit_breaker
from integrations.events import note_event
from integrations.matching.results import look_up, preview_results
from integrations.models import (
    Connection,
    DesiredState,
    DirectoryState,
    DriftFinding,
    DriftWatch,
    EventKind,
    MatchChange,
    MatchStatus,
    Meeting,
    RematchRun,
    UserMatch,
)
from integrations.monitoring.drift_report import email_findings, noted_words
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import Changes, PlatformError
from integrations.task_queue import send

logger = logging.getLogger(__name__)

WATCH_TASK: Final = "integrations.watch_drift"
#: How far ahead meetings count.
AHEAD: Final = timedelta(days=7)
#: Less than a day, so that it is the same hours every night.
_REST: Final = timedelta(hours=20)
#: A watch that failed, or whose worker died, is due again after so long.
_RETRY: Final = timedelta(minutes=30)
#: Connections a round of beat, so that bookings get their turn in between.
PORTION: Final = 20
#: Who calls the platform, for the circuit.
_CALLER: Final = "drift"


# --- When -------------------------------------------------------------------------------------------
def sweep_drift() -> int:
    """Have workers watch some of the connections whose turn it is; returns how many. Called every few minutes."""
    busy, resting = RematchRun.objects.running(), DriftWatch.objects.filter(due_at__gt=Now())
    due = (
        Connection.objects.able_to_work()
        .exclude(pk__in=busy.values("connection"))
        .exclude(pk__in=resting.values("connection"))
        .values_list("pk", flat=True)[:PORTION]
    )
    for connection_id in due:
        send(WATCH_TASK, connection_id)
    return len(due)


def watch_drift(connection_id: int) -> None:
    """Watch one connection, if it is its turn and the platform may be called."""
    connection = Connection.objects.with_platforms().filter(pk=connection_id).first()
    if connection is None or not circuit_breaker.may_call(connection_id, _CALLER):
        return
    watch = _claim(connection)
    if watch is not None:
        _watch(connection, watch)
    circuit_breaker.give_back(connection_id, _CALLER)


def _claim(connection: Connection) -> DriftWatch | None:
    """Take the watch for a while; None when it is not due."""
    DriftWatch.objects.bulk_create([DriftWatch(connection=connection)], ignore_conflicts=True)
    this = DriftWatch.objects.filter(connection=connection)
    return this.get() if this.filter(due_at__lte=Now()).update(due_at=Now() + _RETRY) else None


def _watch(connection: Connection, watch: DriftWatch) -> None:
    begun = watch.due_at - _RETRY
    try:
        changes = platform_of(connection).changes_since(connection, watch.mark)
        found = _look(connection, changes)
    except PlatformError as error:
        logger.warning(
            "Drift watch on connection %s: %s (request %s)", connection.pk, error, error.request_id
        )
        circuit_breaker.record_failure(connection.pk, error, _CALLER)
        if error.kind == ErrorKind.BUG:
            _rest(watch, begun, watch.mark)
        return
    new = _keep(connection, found, begun)
    _rest(watch, begun, changes.mark if changes is not None else "")
    email_findings(connection, new)


def _rest(watch: DriftWatch, begun: datetime, mark: str) -> None:
    """Until the next night. The mark moves last: what was read since the old one has had its effect."""
    DriftWatch.objects.filter(pk=watch.pk).update(due_at=begun + _REST, mark=mark, finished_at=Now())


# --- Looking ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Found:
    """Who would be what, and how many meetings everybody has in the coming week."""

    changes: Sequence[MatchChange]
    meetings: Mapping[int, int]


def _look(connection: Connection, changes: Changes | None) -> _Found:
    meetings = _meetings_ahead(connection)
    asked = _whom_to_ask(connection, changes, meetings)
    found: list[MatchChange] = []
    directory = platform_of(connection).open_directory(connection, len(asked)) if asked else None
    while directory is not None and asked:
        part = dict(list(asked.items())[: directory.chunk_size])
        asked = {pk: name for pk, name in asked.items() if pk not in part}
        found += preview_results(connection, part, look_up(connection, directory, part))
    return _Found([change for change in found if _is_drift(change)], meetings)


def _meetings_ahead(connection: Connection) -> dict[int, int]:
    """Staff id -> meetings in the coming week, of those who have any."""
    ahead = Meeting.objects.filter(
        connection=connection,
        desired_state=DesiredState.PRESENT,
        ends_at__gt=Now(),
        starts_at__lt=Now() + AHEAD,
    )
    return dict(
        ahead.order_by().values("host").annotate(how_many=Count("pk")).values_list("host", "how_many")
    )


def _whom_to_ask(connection: Connection, changes: Changes | None, hosts: Collection[int]) -> dict[int, str]:
    """Staff id -> the name to look up. Whoever was found before is asked for again, so that it can end."""
    before = DriftFinding.objects.filter(connection=connection)
    found_before = set(before.values_list("staff_id", flat=True))
    knows_who = changes is not None and changes.is_complete
    asked = {}
    for pk, user_name, remote_id in _matched(connection, hosts):
        concerned = changes.concern(user_name, remote_id) if changes and knows_who else pk in hosts
        if concerned or pk in found_before:
            asked[pk] = user_name
    return asked


def _matched(connection: Connection, hosts: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """Those who matter and could host so far. Whose field has changed is rematched by itself."""
    rows = UserMatch.objects.filter(
        Q(enabled=True) | Q(staff__in=hosts),
        connection=connection,
        directory=DirectoryState.MATCHED,
        status__in=[MatchStatus.MATCHED, MatchStatus.CHECKING],
        queried_name=F(f"staff__{connection.match_field}"),
        staff__is_active=True,
    ).order_by("staff_id")
    for pk, user_name, remote_id in rows.values_list("staff_id", "queried_name", "remote_id"):
        yield pk, user_name or "", remote_id


def _is_drift(change: MatchChange) -> bool:
    return change.is_other_user or change.after in (MatchStatus.UNMATCHED, MatchStatus.FORBIDDEN)


# --- Keeping ----------------------------------------------------------------------------------------
@transaction.atomic
def _keep(connection: Connection, found: _Found, begun: datetime) -> list[DriftFinding]:
    """Store who was found and forget everybody else; returns those the admins are to be mailed about, once."""
    # Answers are written under this lock: what a rematch wrote since the look began is newer than what was looked up.
    now = Connection.objects.lock(connection.pk)
    if now.match_field != connection.match_field:
        return []
    newer = UserMatch.objects.filter(connection=connection, checked_at__gte=begun)
    answered = set(newer.values_list("staff_id", flat=True)) if found.changes else set()
    changes = [change for change in found.changes if change.staff_id not in answered]
    findings = DriftFinding.objects.filter(connection=connection)
    findings.exclude(staff__in=[change.staff_id for change in changes]).delete()
    known = set(findings.values_list("staff_id", flat=True))
    DriftFinding.objects.bulk_create(
        [_finding(connection, change, found.meetings) for change in changes],
        update_conflicts=True,
        unique_fields=["connection", "staff"],
        update_fields=[
            "after",
            "is_other_user",
            "reason",
            "hint",
            "remote_user_name",
            "meetings",
            "checked_at",
        ],
    )
    _note(connection, findings.exclude(staff__in=known))
    return _to_be_told(findings)


def _finding(connection: Connection, change: MatchChange, meetings: Mapping[int, int]) -> DriftFinding:
    return DriftFinding(
        connection=connection,
        staff_id=change.staff_id,
        after=change.after,
        is_other_user=change.is_other_user,
        reason=change.reason,
        hint=change.hint,
        remote_user_name=change.remote_user_name,
        meetings=meetings.get(change.staff_id, 0),
    )


def _note(connection: Connection, new: QuerySet[DriftFinding]) -> None:
    """A line of the connection's history about those who were not found before."""
    first, how_many = new.select_related("staff").first(), new.count()
    if first is not None:
        note_event(connection, EventKind.NOTED, None, noted_words(first, how_many))


def _to_be_told(findings: QuerySet[DriftFinding]) -> list[DriftFinding]:
    """Marked as told before the mail goes out: rather none, where the process dies, than the same one twice."""
    untold = list(findings.filter(notified_at=None, meetings__gt=0).select_related("staff"))
    findings.filter(pk__in=[finding.pk for finding in untold]).update(notified_at=Now())
    return untold

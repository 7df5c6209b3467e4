"""Drift watch: find staff whose match would change in a rematch, before a client notices.

It runs every night and changes no match. It watches staff with video meetings in the coming week or with Video Calls
on. If the platform reports changes in its directory, only changed users are looked up. Otherwise all staff who host in
the coming week are. A watch that the platform interrupts keeps what it found and goes on with the other staff later.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from coconut.task_queue import send
from integrations import circuit_breaker
from integrations.events import record_event
from integrations.matching.results import look_up, preview_results, with_result
from integrations.models import (
    Connection,
    DesiredState,
    DriftFinding,
    DriftWatch,
    EventKind,
    MatchChange,
    MatchStatus,
    Meeting,
    RematchRun,
    UserMatch,
)
from integrations.monitoring.drift_report import email_findings, event_params
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryChanges, DirectoryResult, IncompleteLookup, PlatformError

logger = logging.getLogger(__name__)

WATCH_TASK: Final = "integrations.watch_drift"
#: Meetings that start within this time count.
AHEAD: Final = timedelta(days=7)
#: Time between two watches. Less than a day, so that the hour of the night stays the same.
_INTERVAL: Final = timedelta(hours=20)
#: A watch that failed, or whose worker died, is due again after so long.
_RETRY_AFTER: Final = timedelta(minutes=30)
#: Connections that one call of beat starts, so that bookings aren't delayed.
CONNECTIONS_A_ROUND: Final = 20
#: Name of this caller for the circuit breaker.
_CALLER: Final = "drift"


# --- Schedule ---------------------------------------------------------------------------------------
def sweep_drift() -> int:
    """Send tasks for some of the connections that are due, and return their number. Beat calls it often."""
    busy, resting = RematchRun.objects.running(), DriftWatch.objects.filter(due_at__gt=Now())
    due = (
        Connection.objects.able_to_work()
        .exclude(pk__in=busy.values("connection"))
        .exclude(pk__in=resting.values("connection"))
        .values_list("pk", flat=True)[:CONNECTIONS_A_ROUND]
    )
    for connection_id in due:
        send(WATCH_TASK, connection_id)
    return len(due)


def watch_drift(connection_id: int) -> None:
    """Watch one connection if it is due and its platform may be called."""
    connection = Connection.objects.with_platforms().filter(pk=connection_id).first()
    if connection is None or not circuit_breaker.may_call(connection_id, _CALLER):
        return
    watch = _claim_due_watch(connection)
    if watch is not None:
        _run_watch(connection, watch)
    circuit_breaker.release_probe(connection_id, _CALLER)


def _claim_due_watch(connection: Connection) -> DriftWatch | None:
    """Claim the watch until its retry is due. Return None if it isn't due."""
    DriftWatch.objects.bulk_create([DriftWatch(connection=connection)], ignore_conflicts=True)
    watches = DriftWatch.objects.filter(connection=connection)
    return watches.get() if watches.filter(due_at__lte=Now()).update(due_at=Now() + _RETRY_AFTER) else None


def _run_watch(connection: Connection, watch: DriftWatch) -> None:
    started_at = watch.due_at - _RETRY_AFTER
    try:
        changes = platform_of(connection).changes_since(connection, watch.sync_token)
        drift = _find_drift(connection, changes, watch)
    except PlatformError as error:
        _record_failure(connection, watch, started_at, error)
        return
    _store_findings(connection, watch, drift, started_at)
    # The token of the first attempt: staff who were looked up then may have changed since.
    sync_token = watch.next_sync_token or (changes.sync_token if changes is not None else "")
    if drift.error is not None:
        _keep_progress(watch, sync_token, drift)
        _record_failure(connection, watch, started_at, drift.error)
        return
    _schedule_next(watch, started_at, sync_token)
    _refresh_account(connection)


def _record_failure(connection: Connection, watch: DriftWatch, started_at: datetime, error: PlatformError) -> None:
    """Leave the rest to the next attempt. After a bug that is the next night, which starts from the same token."""
    logger.warning(
        "Drift watch on connection %s: %s (request %s)",
        connection.pk,
        error.message.in_english(),
        error.request_id,
    )
    circuit_breaker.record_failure(connection.pk, error, _CALLER)
    if error.kind == ErrorKind.BUG:
        _schedule_next(watch, started_at, watch.sync_token)


def _keep_progress(watch: DriftWatch, next_sync_token: str, drift: _Drift) -> None:
    """Let the next attempt leave out the staff who were looked up."""
    DriftWatch.objects.filter(pk=watch.pk).update(
        next_sync_token=next_sync_token, checked_staff=sorted({*watch.checked_staff, *drift.checked_staff})
    )


def _refresh_account(connection: Connection) -> None:
    """Follow the names of the connection's account. A failure costs nothing, as the next night tries again."""
    try:
        platform_of(connection).refresh_account(connection)
    except PlatformError as error:
        logger.warning(
            "Account of connection %s: %s (request %s)", connection.pk, error.message.in_english(), error.request_id
        )


def _schedule_next(watch: DriftWatch, started_at: datetime, sync_token: str) -> None:
    """Make the watch due the next night. The sync token advances last, after all changes before it were stored."""
    DriftWatch.objects.filter(pk=watch.pk).update(
        due_at=started_at + _INTERVAL,
        sync_token=sync_token,
        finished_at=Now(),
        next_sync_token="",
        checked_staff=[],
    )


# --- Find -------------------------------------------------------------------------------------------
@dataclass
class _Drift:
    """Result of a watch. `meetings` is the number of meetings in the coming week by staff id.

    `changes` are the matches that would change, and `checked_staff` the ids of the staff who were looked up.
    `error` interrupted the lookup of the others.
    """

    meetings: Mapping[int, int]
    changes: list[MatchChange] = field(default_factory=list)
    checked_staff: list[int] = field(default_factory=list)
    error: PlatformError | None = None


def _find_drift(connection: Connection, changes: DirectoryChanges | None, watch: DriftWatch) -> _Drift:
    meetings = _meetings_ahead(connection)
    names = _names_to_look_up(connection, changes, meetings)
    checked_before = set(watch.checked_staff)
    drift = _Drift(meetings)
    for chunk, results in _lookups(connection, {pk: names[pk] for pk in names if pk not in checked_before}, drift):
        drift.checked_staff += chunk
        drift.changes += [change for change in preview_results(connection, chunk, results) if _is_drift(change)]
    return drift


def _lookups(
    connection: Connection, names: Mapping[int, str], drift: _Drift
) -> Iterator[tuple[dict[int, str], dict[str, DirectoryResult]]]:
    """Yield the looked up names by staff id and their results, chunk by chunk. Stop at an error, and note it."""
    if not names:
        return
    directory = platform_of(connection).open_directory(connection, len(names))
    ids = sorted(names)
    for start in range(0, len(ids), directory.chunk_size):
        chunk = {pk: names[pk] for pk in ids[start : start + directory.chunk_size]}
        try:
            yield chunk, look_up(connection, directory, chunk)
        except PlatformError as error:
            drift.error = error
            if isinstance(error, IncompleteLookup):
                yield with_result(chunk, error.results), dict(error.results)
            return


def _meetings_ahead(connection: Connection) -> dict[int, int]:
    """Return the number of meetings in the coming week by staff id, without zeros."""
    ahead = Meeting.objects.filter(
        connection=connection,
        desired_state=DesiredState.PRESENT,
        ends_at__gt=Now(),
        starts_at__lt=Now() + AHEAD,
    )
    return dict(ahead.order_by().values("host").annotate(how_many=Count("pk")).values_list("host", "how_many"))


def _names_to_look_up(
    connection: Connection, changes: DirectoryChanges | None, hosts: Collection[int]
) -> dict[int, str]:
    """Return the user names to look up by staff id. Staff with a finding are included, so that it can end."""
    findings = DriftFinding.objects.filter(connection=connection)
    found_before = set(findings.values_list("staff_id", flat=True))
    is_complete = changes is not None and changes.is_complete
    names = {}
    for pk, user_name, remote_id in _watched_matches(connection, hosts):
        concerned = changes.concern(user_name, remote_id) if changes and is_complete else pk in hosts
        if concerned or pk in found_before:
            names[pk] = user_name
    return names


def _watched_matches(connection: Connection, hosts: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """Yield staff id, user name and remote id of watched staff who can host.

    Staff whose match field has changed are left out: they are rematched automatically.
    """
    rows = (
        UserMatch.objects.found()
        .filter(
            Q(enabled=True) | Q(staff__in=hosts),
            connection=connection,
            status__in=[MatchStatus.MATCHED, MatchStatus.CHECKING],
            queried_name=F(f"staff__{connection.match_field}"),
        )
        .order_by("staff_id")
    )
    for pk, user_name, remote_id in rows.values_list("staff_id", "queried_name", "remote_id"):
        yield pk, user_name or "", remote_id


def _is_drift(change: MatchChange) -> bool:
    return change.is_other_user or change.after in (MatchStatus.UNMATCHED, MatchStatus.FORBIDDEN)


# --- Store ------------------------------------------------------------------------------------------
@transaction.atomic
def _store_findings(connection: Connection, watch: DriftWatch, drift: _Drift, started_at: datetime) -> None:
    """Replace the stored findings, and email the admins once about each that concerns meetings.

    Findings of staff who weren't looked up yet stay if the watch was interrupted.
    """
    # A rematch writes its results under the same lock. Results since the start are newer than ours.
    current = Connection.objects.lock(connection.pk)
    if current.match_field != connection.match_field:
        return
    newer = UserMatch.objects.filter(connection=connection, checked_at__gte=started_at)
    rematched = set(newer.values_list("staff_id", flat=True)) if drift.changes else set()
    changes = [change for change in drift.changes if change.staff_id not in rematched]
    findings = DriftFinding.objects.filter(connection=connection)
    outdated = findings.exclude(staff__in=[change.staff_id for change in changes])
    if drift.error is not None:
        outdated.filter(staff__in=drift.checked_staff).delete()
    else:
        outdated.exclude(staff__in=watch.checked_staff).delete()
    known = set(findings.values_list("staff_id", flat=True))
    DriftFinding.objects.bulk_create(
        [_finding(connection, change, drift.meetings) for change in changes],
        update_conflicts=True,
        unique_fields=["connection", "staff"],
        update_fields=[
            "after",
            "is_other_user",
            "is_recreated",
            "reason",
            "hint",
            "remote_user_name",
            "meetings",
            "checked_at",
        ],
    )
    _note_new_findings(connection, findings.exclude(staff__in=known))
    _email_new_findings(connection, findings)


def _finding(connection: Connection, change: MatchChange, meetings: Mapping[int, int]) -> DriftFinding:
    return DriftFinding(
        connection=connection,
        staff_id=change.staff_id,
        after=change.after,
        is_other_user=change.is_other_user,
        is_recreated=change.is_recreated,
        reason=change.reason,
        hint=change.hint,
        remote_user_name=change.remote_user_name,
        meetings=meetings.get(change.staff_id, 0),
    )


def _note_new_findings(connection: Connection, new: QuerySet[DriftFinding]) -> None:
    """Add an event about the new findings to the connection's history."""
    first, count = new.select_related("staff").first(), new.count()
    if first is not None:
        record_event(connection, EventKind.DRIFT_FOUND, None, **event_params(first), others=count - 1)


def _email_new_findings(connection: Connection, findings: QuerySet[DriftFinding]) -> None:
    to_notify = list(findings.filter(notified_at=None, meetings__gt=0))
    findings.filter(pk__in=[finding.pk for finding in to_notify]).update(notified_at=Now())
    email_findings(connection, to_notify)

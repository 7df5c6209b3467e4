"""Probes of the host permission: whether the platform lets us host meetings as a person.

Only for platforms where the permission differs by person. A person without a known permission is probed in small
batches, again after each refusal. A granted permission is trusted until a meeting is refused. Probes change nothing on
the platform.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Now
from django.dispatch import Signal

from coconut import leases
from coconut.leases import only_worker
from coconut.task_queue import send
from integrations.circuit_breaker import (
    close_circuit,
    may_call,
    pause,
    pause_organizer,
    record_failure,
    record_success,
    release_probe,
)
from integrations.matching import host_permission_schedule
from integrations.matching.host_permission_schedule import (
    PROBE_TASK,
    SCHEDULE_FIELDS,
    record_denial,
    schedule_next_probe,
)
from integrations.matching.signals import remote_users_changed
from integrations.models import Connection, DirectoryState, HostPermission, Meeting, UserMatch
from integrations.platforms.base import VideoPlatform
from integrations.platforms.registry import platform_of
from integrations.platforms.values import ErrorScope, MatchReason, PermissionResult, PermissionState, PlatformError

logger = logging.getLogger(__name__)

#: Sent after the platform granted a permission that it had refused:
#: `sender=UserMatch, connection_id=int, remote_ids=frozenset[str]`.
host_permission_granted = Signal()

#: Most people that one task probes, so that bookings get a worker in between.
PORTION: Final = 200
#: Caller name for the circuit breaker.
_CALLER: Final = "host_permission"
_REFUSED: Final = [HostPermission.DENIED, HostPermission.WAITING]
_UNSETTLED: Final = [HostPermission.UNKNOWN, *_REFUSED]
# A granted permission ends these reasons. The others (a guest, no licence) don't depend on the permission.
_PERMISSION_REASONS: Final = [MatchReason.NO_HOST_PERMISSION, MatchReason.REFUSED]
_RESULT_FIELDS: Final = [*SCHEDULE_FIELDS, "directory", "reason", "queried_name"]


# --- Probe ------------------------------------------------------------------------------------------
def sweep_host_permission() -> int:
    """Enqueue one probe task for each connection with due people. Returns the number of tasks."""
    connections = list(_due_matches().order_by().values_list("connection", flat=True).distinct())
    for connection_id in connections:
        send(PROBE_TASK, connection_id)
    return len(connections)


def probe_host_permission(connection_id: int) -> None:
    """Probe one portion of a connection's due people, and enqueue the next portion."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    # Keep other workers free for bookings. `_claim_due_matches` gives two workers different people anyway.
    with only_worker(f"coverage-{connection.pk}") as is_only_worker:
        has_more = is_only_worker and _probe_portion(connection)
    if has_more:
        send(PROBE_TASK, connection_id)


def _probe_portion(connection: Connection) -> bool:
    """Probe up to `PORTION` people. Returns whether to go on at once: new people wait, or a permission is spreading.

    Stops early when a meeting that was just booked waits for a worker.
    """
    platform, probed, is_spreading = platform_of(connection), 0, False
    work_until = monotonic() + settings.CELERY_TASK_TIME_LIMIT / 2
    while probed < PORTION and monotonic() < work_until and _may_probe(connection):
        remote_ids = _claim_due_matches(connection, platform.probe_size)
        results = _call_platform(connection, platform, remote_ids) if remote_ids else None
        if results is None:
            release_probe(connection.pk, _CALLER)
            return False
        probed += len(remote_ids)
        is_spreading |= write_host_permission(connection, results)
        if Meeting.objects.unclaimed().exists():
            return True
    new = _due_matches().filter(connection=connection, host_permission=HostPermission.UNKNOWN)
    return is_spreading or new.exists()


def _may_probe(connection: Connection) -> bool:
    return _due_matches().filter(connection=connection).exists() and may_call(connection.pk, _CALLER)


def _call_platform(
    connection: Connection, platform: VideoPlatform, remote_ids: list[str]
) -> Mapping[str, PermissionResult] | None:
    """Return the platform's results, or None after a failure. The people are due again when their claim ends."""
    try:
        results = platform.probe_host_permission(connection, remote_ids)
    except PlatformError as error:
        logger.warning(
            "Host permission probe on connection %s: %s (request %s)",
            connection.pk,
            error.message.in_english(),
            error.request_id,
            extra={"organization_id": connection.organization_id, "platform_request_id": error.request_id},
        )
        record_failure(connection.pk, error, _CALLER)
        return None
    # Before the results are written: the lock order is the connection first, then matches.
    for remote_id, result in results.items():
        if result.pause:
            pause_organizer(connection.pk, remote_id, result.pause, result.scope)
    if seconds := max((each.pause for each in results.values() if each.scope == ErrorScope.CONNECTION), default=0.0):
        close_circuit(connection.pk)
        pause(connection.pk, seconds)
    elif any(result.state != PermissionState.UNCLEAR for result in results.values()):
        record_success(connection.pk)
    else:
        # An error for each person doesn't show that the platform works. Another caller may find out.
        release_probe(connection.pk, _CALLER)
    return results


def _due_matches() -> QuerySet[UserMatch]:
    """Return the due matches on connections whose platform may be called."""
    return _unsettled_matches().filter(connection__in=Connection.objects.able_to_work().values("pk"))


def _unsettled_matches() -> QuerySet[UserMatch]:
    return UserMatch.objects.found().filter(
        host_permission__in=_UNSETTLED,
        reason__in=["", *_PERMISSION_REASONS],
        host_permission_due_at__lte=Now(),
    )


@transaction.atomic
def _claim_due_matches(connection: Connection, count: int) -> list[str]:
    """Return the remote ids of up to `count` due matches, unknown permissions first, and postpone these matches."""
    order = Case(
        When(host_permission=HostPermission.UNKNOWN, then=Value(0)),
        When(host_permission=HostPermission.WAITING, then=Value(1)),
        default=Value(2),
    )
    due = _unsettled_matches().filter(connection=connection).order_by(order, "host_permission_due_at", "pk")
    locked = due.select_for_update(skip_locked=True, of=("self",), no_key=True)
    claimed = dict(locked.values_list("pk", "remote_id")[:count])
    UserMatch.objects.filter(pk__in=claimed).update(host_permission_due_at=Now() + leases.LEASE_DURATION)
    return list(dict.fromkeys(claimed.values()))


# --- Results ----------------------------------------------------------------------------------------
@transaction.atomic
def write_host_permission(connection: Connection, results: Mapping[str, PermissionResult]) -> bool:
    """Store the platform's results (remote id -> result). Returns whether it granted a permission refused before.

    All staff who share a remote user get its result.
    """
    # Locked in the order in which a rematch writes.
    matches = list(
        UserMatch.objects.filter(connection=connection, directory=DirectoryState.MATCHED, remote_id__in=results)
        .exclude(host_permission=HostPermission.NOT_NEEDED)
        .order_by("staff_id")
        .select_for_update(no_key=True)
    )
    unknown = [match for match in matches if match.host_permission == HostPermission.UNKNOWN]
    newly_granted = {match.remote_id for match in matches if _apply_result(match, results[match.remote_id])}
    UserMatch.objects.bulk_update(matches, _RESULT_FIELDS)
    if newly_granted:
        _follow_grant(connection, newly_granted)
    elif any(match.host_permission == HostPermission.GRANTED for match in unknown):
        remote_users_changed.send(sender=UserMatch, connection_id=connection.pk)
    return bool(newly_granted)


def _apply_result(match: UserMatch, result: PermissionResult) -> bool:
    """Change the match, unsaved. Returns whether the permission is granted now and was refused before."""
    if result.pause:
        # No result for this person: first in line after the pause. A pause of the connection stops all probes.
        wait = 0.0 if result.scope == ErrorScope.CONNECTION else result.pause
        match.host_permission_due_at = Now() + timedelta(seconds=wait)
    elif result.state == PermissionState.GRANTED:
        return _grant(match)
    elif result.state == PermissionState.DENIED:
        record_denial(match)
    elif result.state == PermissionState.UNCLEAR:
        schedule_next_probe(match)
    elif result.state == PermissionState.GONE:
        _unmatch(match)
    return False


def _grant(match: UserMatch) -> bool:
    """Note the permission. Returns whether it was refused before."""
    was_refused = match.host_permission in _REFUSED or match.reason in _PERMISSION_REASONS
    match.host_permission = HostPermission.GRANTED
    match.host_permission_checked_at = Now()
    if match.reason in _PERMISSION_REASONS:
        match.reason = ""
    return was_refused


def _unmatch(match: UserMatch) -> None:
    """Note that the remote user is gone. Without `queried_name` the sweep rematches the person."""
    match.directory = DirectoryState.UNMATCHED
    match.reason = MatchReason.NOT_FOUND
    match.host_permission = HostPermission.UNKNOWN
    match.host_permission_checked_at = Now()
    match.queried_name = None
    schedule_next_probe(match)


def _follow_grant(connection: Connection, remote_ids: Iterable[str]) -> None:
    """Report new permissions, and make others due: permissions are often granted to many people at once.

    Makes one portion due, the longest waiting first. If one of these is granted, the next portion follows.
    """
    host_permission_granted.send(sender=UserMatch, connection_id=connection.pk, remote_ids=frozenset(remote_ids))
    others = UserMatch.objects.filter(
        connection=connection,
        directory=DirectoryState.MATCHED,
        host_permission__in=_REFUSED,
        host_permission_due_at__gt=Now(),
        host_permission_checked_at__lte=Now() - host_permission_schedule.FIRST_PAUSE,
    ).order_by("host_permission_checked_at", "pk")
    locked = others.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:PORTION]
    UserMatch.objects.filter(pk__in=list(locked)).update(host_permission_due_at=Now())

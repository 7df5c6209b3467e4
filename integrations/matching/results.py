"""What a directory answered becomes rows: written in bulk, and only for people who are still called the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from coconut.task_queue import enqueue_on_commit
from integrations.circuit_breaker import record_success
from integrations.matching.host_permission_schedule import PROBE_TASK
from integrations.models import (
    Connection,
    DirectoryState,
    DriftFinding,
    HostPermission,
    MatchChange,
    MatchStatus,
    RematchRun,
    UserMatch,
)
from integrations.models.matches import derived_status
from integrations.platforms.base import Directory
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryResult, MatchReason
from staff.models import StaffMember

#: Everything but `enabled`, which is the admin's wish and not an answer.
WRITTEN = [
    "directory",
    "host_permission",
    "host_permission_checked_at",
    "host_permission_due_at",
    "host_permission_attempts",
    "reason",
    "remote_id",
    "remote_user_name",
    "remote_name",
    "queried_name",
    "hint",
    "checked_at",
]


@transaction.atomic
def write_results(
    connection: Connection,
    asked: Mapping[int, str],
    answers: Mapping[str, DirectoryResult],
    run: RematchRun | None = None,
) -> list[MatchChange]:
    """Store what was answered for `asked` (staff id -> the value of `connection.match_field` that was looked up).

    Who was renamed or left meanwhile is skipped: another answer is on its way. So is everybody when another field is
    looked up by now. Returns who changed, unsaved. Safe to repeat.
    """
    still = _lock_unchanged(connection, asked)
    # Locked, or what the platform says meanwhile about hosting as them would be lost.
    locked = _matches(connection, still).select_for_update(no_key=True)
    before = {match.staff_id: match for match in locked}
    rows = _rows(connection, still, answers, before)
    for row in rows:
        row.run = run
    UserMatch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "staff"],
        update_fields=WRITTEN if run is None else [*WRITTEN, "run"],
    )
    # Whatever the drift watch found out about them is old by now.
    DriftFinding.objects.filter(connection=connection, staff__in=still.keys()).delete()
    if any(
        row.host_permission == HostPermission.UNKNOWN and row.directory == DirectoryState.MATCHED
        for row in rows
    ):
        enqueue_on_commit(PROBE_TASK, connection.pk)
    return _changes(before, rows)


def preview_results(
    connection: Connection, asked: Mapping[int, str], answers: Mapping[str, DirectoryResult]
) -> list[MatchChange]:
    """Who would change if what was answered for `asked` were stored, unsaved. Writes nothing."""
    before = {match.staff_id: match for match in _matches(connection, asked)}
    return _changes(before, _rows(connection, asked, answers, before))


def _lock_unchanged(connection: Connection, asked: Mapping[int, str]) -> dict[int, str]:
    """Whoever's field still holds what was looked up. The lock keeps it so, and writers take turns, in pk order."""
    locked = Connection.objects.select_for_update(no_key=True).only("match_field").get(pk=connection.pk)
    if locked.match_field != connection.match_field:
        return {}
    people = (
        StaffMember.objects.active()
        .select_for_update(no_key=True)
        .filter(pk__in=asked)
        .order_by("pk")
        .values_list("pk", connection.match_field)
    )
    return {pk: value for pk, value in people if value == asked[pk]}


def _matches(connection: Connection, people: Mapping[int, str]) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(connection=connection, staff__in=people.keys()).order_by("staff_id")


def _rows(
    connection: Connection,
    asked: Mapping[int, str],
    answers: Mapping[str, DirectoryResult],
    before: Mapping[int, UserMatch],
) -> list[UserMatch]:
    needs_permission_probe = platform_of(connection).needs_host_permission(connection)
    rows = [_row(before.get(pk), answers[value], needs_permission_probe) for pk, value in asked.items()]
    for row, (pk, value) in zip(rows, asked.items(), strict=True):
        row.connection, row.staff_id, row.queried_name = connection, pk, value
    return rows


def _row(old: UserMatch | None, answer: DirectoryResult, needs_permission_probe: bool) -> UserMatch:
    return UserMatch(
        directory=DirectoryState.MATCHED if answer.remote_id else DirectoryState.UNMATCHED,
        reason=answer.reason or ("" if answer.remote_id else MatchReason.NOT_FOUND),
        remote_id=answer.remote_id,
        remote_user_name=answer.user_name[:320],
        remote_name=answer.name[:300],
        hint=answer.hint[:500],
        checked_at=Now(),
        **_coverage(old, answer, needs_permission_probe),
    )


def _coverage(old: UserMatch | None, answer: DirectoryResult, needs_permission_probe: bool) -> dict[str, Any]:
    """What is known about hosting as somebody stays known while it is the same remote user."""
    is_same = old is not None and old.remote_id == answer.remote_id
    if (
        needs_permission_probe
        and old is not None
        and is_same
        and old.host_permission != HostPermission.NOT_NEEDED
    ):
        return {
            "host_permission": old.host_permission,
            "host_permission_checked_at": old.host_permission_checked_at,
            "host_permission_due_at": old.host_permission_due_at,
            "host_permission_attempts": old.host_permission_attempts,
        }
    host_permission = HostPermission.UNKNOWN if needs_permission_probe else HostPermission.NOT_NEEDED
    return {
        "host_permission": host_permission,
        "host_permission_due_at": Now(),
        "host_permission_attempts": 0,
    }


def _changes(before: Mapping[int, UserMatch], after: Sequence[UserMatch]) -> list[MatchChange]:
    changes = (_change(before.get(match.staff_id), match) for match in after)
    return [change for change in changes if change.is_other_user or change.before != change.after]


def _change(old: UserMatch | None, new: UserMatch) -> MatchChange:
    return MatchChange(
        staff_id=new.staff_id,
        before=old.status if old is not None else MatchStatus.CHECKING,
        after=derived_status(new),
        is_other_user=old is not None and bool(old.remote_id) and new.remote_id not in ("", old.remote_id),
        queried_name=new.queried_name or "",
        remote_user_name=new.remote_user_name,
        reason=new.reason,
        hint=new.hint,
    )


def look_up(
    connection: Connection, directory: Directory, asked: Mapping[int, str]
) -> dict[str, DirectoryResult]:
    """An answer for each value; an empty field is answered without a call."""
    answers = {value: DirectoryResult(reason=MatchReason.FIELD_EMPTY) for value in asked.values()}
    user_names = [value for value in answers if value.strip()]
    if user_names:
        answers |= directory.find(user_names)
        record_success(connection.pk)
    return answers

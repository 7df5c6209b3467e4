"""What a directory answered becomes rows: written in bulk, and only for people who are still called the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.matching.host_permission_schedule import PROBE_TASK
from integrations.models import (
    Connection,
    Coverage,
    DirectoryState,
    DriftFinding,
    MatchChange,
    MatchStatus,
    RematchRun,
    UserMatch,
)
from integrations.models.matches import derived_status
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryAnswer, MatchReason
from integrations.task_queue import nudge_on_commit
from staff.models import StaffMember

#: Everything but `enabled`, which is the admin's wish and not an answer.
WRITTEN = [
    "directory",
    "coverage",
    "coverage_checked_at",
    "coverage_due_at",
    "coverage_attempts",
    "reason",
    "remote_id",
    "remote_upn",
    "remote_name",
    "looked_up",
    "hint",
    "checked_at",
]


@transaction.atomic
def write_answers(
    connection: Connection,
    asked: Mapping[int, str],
    answers: Mapping[str, DirectoryAnswer],
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
    if any(row.coverage == Coverage.UNKNOWN and row.directory == DirectoryState.MATCHED for row in rows):
        nudge_on_commit(PROBE_TASK, connection.pk)
    return _changes(before, rows)


def preview_answers(
    connection: Connection, asked: Mapping[int, str], answers: Mapping[str, DirectoryAnswer]
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
        StaffMember.objects.select_for_update(no_key=True)
        .filter(pk__in=asked, is_active=True)
        .order_by("pk")
        .values_list("pk", connection.match_field)
    )
    return {pk: value for pk, value in people if value == asked[pk]}


def _matches(connection: Connection, people: Mapping[int, str]) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(connection=connection, staff__in=people.keys()).order_by("staff_id")


def _rows(
    connection: Connection,
    asked: Mapping[int, str],
    answers: Mapping[str, DirectoryAnswer],
    before: Mapping[int, UserMatch],
) -> list[UserMatch]:
    needs_coverage = platform_of(connection).coverage_needed(connection)
    rows = [_row(before.get(pk), answers[value], needs_coverage) for pk, value in asked.items()]
    for row, (pk, value) in zip(rows, asked.items(), strict=True):
        row.connection, row.staff_id, row.looked_up = connection, pk, value
    return rows


def _row(old: UserMatch | None, answer: DirectoryAnswer, needs_coverage: bool) -> UserMatch:
    return UserMatch(
        directory=DirectoryState.MATCHED if answer.remote_id else DirectoryState.UNMATCHED,
        reason=answer.reason or ("" if answer.remote_id else MatchReason.NOT_FOUND),
        remote_id=answer.remote_id,
        remote_upn=answer.upn[:320],
        remote_name=answer.name[:300],
        hint=answer.hint[:500],
        checked_at=Now(),
        **_coverage(old, answer, needs_coverage),
    )


def _coverage(old: UserMatch | None, answer: DirectoryAnswer, needs_coverage: bool) -> dict[str, Any]:
    """What is known about hosting as somebody stays known while it is the same remote user."""
    is_same = old is not None and old.remote_id == answer.remote_id
    if needs_coverage and old is not None and is_same and old.coverage != Coverage.NOT_NEEDED:
        return {
            "coverage": old.coverage,
            "coverage_checked_at": old.coverage_checked_at,
            "coverage_due_at": old.coverage_due_at,
            "coverage_attempts": old.coverage_attempts,
        }
    coverage = Coverage.UNKNOWN if needs_coverage else Coverage.NOT_NEEDED
    return {"coverage": coverage, "coverage_due_at": Now(), "coverage_attempts": 0}


def _changes(before: Mapping[int, UserMatch], after: Sequence[UserMatch]) -> list[MatchChange]:
    changes = (_change(before.get(match.staff_id), match) for match in after)
    return [change for change in changes if change.is_other_user or change.before != change.after]


def _change(old: UserMatch | None, new: UserMatch) -> MatchChange:
    return MatchChange(
        staff_id=new.staff_id,
        before=old.status if old is not None else MatchStatus.CHECKING,
        after=derived_status(new),
        is_other_user=old is not None and bool(old.remote_id) and new.remote_id not in ("", old.remote_id),
        looked_up=new.looked_up or "",
        remote_upn=new.remote_upn,
        reason=new.reason,
        hint=new.hint,
    )

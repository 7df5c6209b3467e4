"""Look up user names in the directory and write the results to matches, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from coconut.task_queue import enqueue_on_commit
from integrations.circuit_breaker import record_success
from integrations.events import record_event
from integrations.matching.host_permission_schedule import PROBE_TASK
from integrations.matching.signals import remote_users_changed
from integrations.models import (
    Connection,
    DirectoryState,
    DriftFinding,
    EventKind,
    HostPermission,
    MatchChange,
    MatchStatus,
    RematchRun,
    UserMatch,
)
from integrations.models.matches import derived_status
from integrations.platforms.base import Directory
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryResult, IncompleteLookup, MatchReason
from staff.models import StaffMember

#: Columns that a result changes. `enabled` is the admin's decision.
_RESULT_FIELDS = [
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
    user_names: Mapping[int, str],
    results: Mapping[str, DirectoryResult],
    run: RematchRun | None = None,
) -> list[MatchChange]:
    """Store the results for `user_names` (staff id -> the looked up value of `connection.match_field`).

    Skips staff whose value has changed or who left, and all staff if the match field has changed: they get newer
    results. Returns the changes, unsaved. Safe to repeat.
    """
    unchanged = _lock_unchanged_staff(connection, user_names)
    # Locked, so that a host permission probe can't write in between.
    locked = _matches(connection, unchanged).select_for_update(no_key=True)
    before = {match.staff_id: match for match in locked}
    rows = _rows(connection, unchanged, results, before)
    for row in rows:
        row.run = run
    UserMatch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "staff"],
        update_fields=_RESULT_FIELDS if run is None else [*_RESULT_FIELDS, "run"],
    )
    # The results are newer than the findings of the drift watch.
    DriftFinding.objects.filter(connection=connection, staff__in=unchanged.keys()).delete()
    if any(row.host_permission == HostPermission.UNKNOWN and row.directory == DirectoryState.MATCHED for row in rows):
        enqueue_on_commit(PROBE_TASK, connection.pk)
    if any(_hosts_differently(before.get(row.staff_id), row) for row in rows):
        remote_users_changed.send(sender=UserMatch, connection_id=connection.pk)
    changes = _changes(before, rows)
    _note_recreated_users(connection, changes)
    return changes


def _hosts_differently(old: UserMatch | None, new: UserMatch) -> bool:
    """Return whether a known person can host now, and couldn't before or was another user or had another name."""
    if old is None or derived_status(new) != MatchStatus.MATCHED:
        return False
    is_same = (old.remote_id, old.remote_user_name) == (new.remote_id, new.remote_user_name)
    return old.status != MatchStatus.MATCHED or not is_same


def _note_recreated_users(connection: Connection, changes: Sequence[MatchChange]) -> None:
    """Add an event about people whose remote user was deleted and created again under the same name."""
    recreated = [change for change in changes if change.is_recreated]
    if recreated:
        first = recreated[0]
        params = {"person": first.staff.name, "user_name": first.remote_user_name, "others": len(recreated) - 1}
        record_event(connection, EventKind.USER_RECREATED, None, **params)


def preview_results(
    connection: Connection, user_names: Mapping[int, str], results: Mapping[str, DirectoryResult]
) -> list[MatchChange]:
    """Return the changes that storing the results would make, unsaved. Writes nothing."""
    before = {match.staff_id: match for match in _matches(connection, user_names)}
    return _changes(before, _rows(connection, user_names, results, before))


def _lock_unchanged_staff(connection: Connection, user_names: Mapping[int, str]) -> dict[int, str]:
    """Lock the staff whose field still has the looked up value, in pk order, and return these values."""
    locked = Connection.objects.select_for_update(no_key=True).only("match_field").get(pk=connection.pk)
    if locked.match_field != connection.match_field:
        return {}
    staff = (
        StaffMember.objects.active()
        .select_for_update(no_key=True)
        .filter(pk__in=user_names)
        .order_by("pk")
        .values_list("pk", connection.match_field)
    )
    return {pk: value for pk, value in staff if value == user_names[pk]}


def _matches(connection: Connection, user_names: Mapping[int, str]) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(connection=connection, staff__in=user_names.keys()).order_by("staff_id")


def _rows(
    connection: Connection,
    user_names: Mapping[int, str],
    results: Mapping[str, DirectoryResult],
    before: Mapping[int, UserMatch],
) -> list[UserMatch]:
    needs_permission_probe = platform_of(connection).needs_host_permission(connection)
    rows = [_row(before.get(pk), results[value], needs_permission_probe) for pk, value in user_names.items()]
    for row, (pk, value) in zip(rows, user_names.items(), strict=True):
        row.connection, row.staff_id, row.queried_name = connection, pk, value
    return rows


def _row(old: UserMatch | None, result: DirectoryResult, needs_permission_probe: bool) -> UserMatch:
    return UserMatch(
        directory=DirectoryState.MATCHED if result.remote_id else DirectoryState.UNMATCHED,
        reason=result.reason or ("" if result.remote_id else MatchReason.NOT_FOUND),
        remote_id=result.remote_id,
        remote_user_name=result.user_name[:320],
        remote_name=result.name[:300],
        hint=result.hint[:500],
        checked_at=Now(),
        **_permission_columns(old, result, needs_permission_probe),
    )


def _permission_columns(old: UserMatch | None, result: DirectoryResult, needs_permission_probe: bool) -> dict[str, Any]:
    """Return the host permission columns. The known permission stays while the remote user is the same."""
    is_same = old is not None and old.remote_id == result.remote_id
    if needs_permission_probe and old is not None and is_same and old.host_permission != HostPermission.NOT_NEEDED:
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
    is_other_user = old is not None and bool(old.remote_id) and new.remote_id not in ("", old.remote_id)
    return MatchChange(
        staff_id=new.staff_id,
        before=old.status if old is not None else MatchStatus.CHECKING,
        after=derived_status(new),
        is_other_user=is_other_user,
        is_recreated=is_other_user and _has_same_name(old, new),
        queried_name=new.queried_name or "",
        remote_user_name=new.remote_user_name,
        reason=new.reason,
        hint=new.hint,
    )


def _has_same_name(old: UserMatch | None, new: UserMatch) -> bool:
    return old is not None and old.remote_user_name.casefold() == new.remote_user_name.casefold()


def look_up(connection: Connection, directory: Directory, user_names: Mapping[int, str]) -> dict[str, DirectoryResult]:
    """Return a result for each value of `user_names`. Empty values cost no call.

    Raises PlatformError. `IncompleteLookup` has the results of some values, the empty ones included.
    """
    results = {value: DirectoryResult(reason=MatchReason.FIELD_EMPTY) for value in user_names.values()}
    queried = [value for value in results if value.strip()]
    if not queried:
        return results
    try:
        found = directory.find(queried)
    except IncompleteLookup as error:
        empty = {value: result for value, result in results.items() if value not in queried}
        raise IncompleteLookup(error, {**empty, **error.results}) from error
    record_success(connection.pk)
    return results | dict(found)


def with_result(user_names: Mapping[int, str], results: Mapping[str, DirectoryResult]) -> dict[int, str]:
    """Return the staff ids and user names that have a result."""
    return {pk: value for pk, value in user_names.items() if value in results}

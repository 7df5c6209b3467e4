"""Rematch single staff members: new ones, and those whose user name or services changed."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import Final

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, TextField, Value, When, Window
from django.db.models.functions import Now, RowNumber

from coconut.isolation import isolated
from coconut.leases import only_worker
from coconut.task_queue import enqueue_once_on_commit
from integrations import circuit_breaker
from integrations.matching.lookup_pauses import end_lookup_pause, postpone_lookups
from integrations.matching.rematch_runs import people_of
from integrations.matching.rematch_worker import end_of_shift
from integrations.matching.results import look_up, with_result, write_results
from integrations.models import Connection, MatchField, RematchRun, UserMatch
from integrations.platforms.registry import platform_of
from integrations.platforms.values import IncompleteLookup, PlatformError
from staff.models import StaffMember

logger = logging.getLogger(__name__)

SWEEP_TASK: Final = "integrations.rematch_changed_staff"
#: Most people of one connection in one sweep.
BATCH = 1000
#: Caller name for the circuit breaker.
_CALLER: Final = "people"


def rematch_people(connection: Connection, staff_ids: Iterable[int]) -> None:
    """Look up these active staff members of the connection's organisation now.

    If the platform fails, they keep their status and stay due.
    """
    if not circuit_breaker.may_call(connection.pk, _CALLER):
        return
    people = people_of(connection).filter(pk__in=staff_ids).order_by("pk")
    user_names = dict(people.values_list("pk", connection.match_field))
    try:
        _look_up_and_write(connection, user_names)
    except PlatformError as error:
        logger.warning(
            "Rematch on connection %s: %s (request %s)",
            connection.pk,
            error.message.in_english(),
            error.request_id,
            extra={"organization_id": connection.organization_id, "platform_request_id": error.request_id},
        )
        circuit_breaker.record_failure(connection.pk, error, _CALLER)
        postpone_lookups(connection, error)
    else:
        end_lookup_pause(connection)
    # If all fields were empty, no call was made and the probe is still ours.
    circuit_breaker.release_probe(connection.pk, _CALLER)


def _look_up_and_write(connection: Connection, user_names: dict[int, str]) -> None:
    directory = platform_of(connection).open_directory(connection, len(user_names))
    for chunk in _chunks(list(user_names), directory.chunk_size):
        part = {pk: user_names[pk] for pk in chunk}
        try:
            results = look_up(connection, directory, part)
        except IncompleteLookup as error:
            write_results(connection, with_result(part, error.results), error.results)
            raise
        write_results(connection, part, results)


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


# --- Changes ----------------------------------------------------------------------------------------
def request_rematch(staff_ids: Iterable[int]) -> None:
    """Make these staff members due after commit, and enqueue the sweep that rematches them."""
    ids = sorted(staff_ids)

    def make_due() -> None:
        if Connection.objects.live().filter(organization__staff__in=ids).exists():
            _make_due(ids)
            enqueue_once_on_commit(SWEEP_TASK)

    # After commit: inside the caller's transaction, these row locks could deadlock with a rematch.
    transaction.on_commit(make_due, robust=True)


@transaction.atomic
def _make_due(staff_ids: Sequence[int]) -> None:
    # Locked in the order in which a rematch writes.
    matches = UserMatch.objects.filter(staff__in=staff_ids).order_by("staff_id", "pk")
    locked = list(matches.select_for_update(no_key=True).values_list("pk", flat=True))
    UserMatch.objects.filter(pk__in=locked).update(queried_name=None)


def request_sweep(organization_id: int) -> None:
    """Enqueue the sweep after commit, if the organisation has a connection."""
    if Connection.objects.live().filter(organization=organization_id).exists():
        enqueue_once_on_commit(SWEEP_TASK)


def rematch_changed_staff() -> int:
    """Rematch the staff members whose user name differs from the queried one. Returns how many were due.

    Finds bulk writes and imports too. A sweep takes up to `BATCH` people of each connection. It skips connections with
    a rematch run under way, as the run looks up the same people.
    """
    work_until = end_of_shift()
    due = _due_staff()
    connections = list(Connection.objects.filter(pk__in=due))
    random.shuffle(connections)  # if time runs out, other connections are left each time
    for connection in connections:
        # Each changed staff member sends a sweep, and several at once would look up the same people.
        with only_worker(f"rematch-{connection.pk}") as is_only_worker:
            if is_only_worker and monotonic() < work_until:
                with isolated(f"The rematch on connection {connection.pk}"):
                    rematch_people(connection, due[connection.pk])
    return sum(map(len, due.values()))


def _due_staff() -> dict[int, list[int]]:
    """Return the ids of the first due staff members by connection id. One query."""
    with_run = RematchRun.objects.running().rematches().values("connection")
    connections = Connection.objects.able_to_work().exclude(pk__in=with_run).exclude(lookup_due_at__gt=Now())
    up_to_date = UserMatch.objects.filter(
        staff=OuterRef("pk"), connection=OuterRef("connection_id"), queried_name=OuterRef("user_name")
    )
    people = (
        StaffMember.objects.active()
        .annotate(
            connection_id=F("organization__connections"),
            match_field=F("organization__connections__match_field"),
            user_name=_USER_NAME,
        )
        .filter(~Exists(up_to_date), connection_id__in=connections.values("pk"))
        .annotate(place=Window(RowNumber(), partition_by="connection_id", order_by="pk"))
        .filter(place__lte=BATCH)
        .order_by("pk")
    )
    due: dict[int, list[int]] = defaultdict(list)
    for connection_id, staff_id in people.values_list("connection_id", "pk"):
        due[connection_id].append(staff_id)
    return due


_USER_NAME = Case(
    When(match_field=Value(MatchField.EMAIL), then=F("email")), default=F("username"), output_field=TextField()
)


# --- Shared remote users ----------------------------------------------------------------------------
def shared_remote_ids(connection: Connection, remote_ids: Iterable[str]) -> dict[str, list[UserMatch]]:
    """Return the remote users that several active staff members share, with their matches (`staff` loaded).

    One query, or none without an id.
    """
    queried = [remote_id for remote_id in remote_ids if remote_id]
    if not queried:
        return {}
    matches = UserMatch.objects.found().filter(connection=connection, remote_id__in=queried)
    by_remote_id: dict[str, list[UserMatch]] = defaultdict(list)
    for match in matches.select_related("staff").order_by("staff"):
        by_remote_id[match.remote_id].append(match)
    return {remote_id: shared for remote_id, shared in by_remote_id.items() if len(shared) > 1}

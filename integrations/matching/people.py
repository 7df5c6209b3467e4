"""Who of the staff is whom on the platform: everybody in a run, or single people when something changed."""

from __future__ import annotations

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from integrations import circuit_breaker
from integrations.matching.rematch_runs import people_of
from integrations.matching.rematch_worker import end_of_shift
from integrations.matching.results import look_up, write_results
from integrations.models import (
    Connection,
    DirectoryState,
    MatchField,
    RematchRun,
    UserMatch,
)
from integrations.platforms.registry import platform_of
from integrations.platforms.values import PlatformError
from integrations.task_queue import send
from staff.models import StaffMember

logger = logging.getLogger(__name__)

REMATCH_TASK = "integrations.rematch_people"
#: People in one task, and people of one connection in one round of beat.
BATCH = 1000
#: Who calls the platform, for the circuit.
_CALLER = "people"


# --- Single people ----------------------------------------------------------------------------------
def rematch_people(connection: Connection, staff_ids: Sequence[int]) -> None:
    """Look these people of the connection's organisation up now.

    When the platform fails, the last status stands. People who were asked for by `request_rematch` stay due, so that
    beat tries again.
    """
    if not circuit_breaker.may_call(connection.pk, _CALLER):
        return
    people = people_of(connection).filter(pk__in=staff_ids).order_by("pk")
    asked = dict(people.values_list("pk", connection.match_field))
    try:
        _ask_for(connection, asked)
    except PlatformError as error:
        logger.warning(
            "Rematch on connection %s: %s (request %s)",
            connection.pk,
            error,
            error.request_id,
            extra={"organization_id": connection.organization_id, "platform_request_id": error.request_id},
        )
        circuit_breaker.record_failure(connection.pk, error, _CALLER)
    # Empty fields cost no call.
    circuit_breaker.give_back(connection.pk, _CALLER)


def _ask_for(connection: Connection, asked: Mapping[int, str]) -> None:
    directory = platform_of(connection).open_directory(connection, len(asked))
    for chunk in _chunks(list(asked), directory.chunk_size):
        part = {pk: asked[pk] for pk in chunk}
        write_results(connection, part, look_up(connection, directory, part))


def rematch_everywhere(staff_ids: Sequence[int]) -> None:
    """Look these people up on every connection of their organisations that is able to work."""
    connections = Connection.objects.able_to_work().filter(organization__staff__in=staff_ids).distinct()
    for connection in connections:
        rematch_people(connection, staff_ids)


def _chunks(ids: list[int], size: int) -> Iterator[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


# --- When something changed -------------------------------------------------------------------------
class _Waiting(threading.local):
    """Whom the transaction of this thread asked to rematch. A rollback leaves ids behind, which costs a look-up."""

    def __init__(self) -> None:
        self.staff_ids: set[int] = set()


_waiting = _Waiting()


def request_rematch(staff_ids: Iterable[int]) -> None:
    """Have these people looked up again soon after commit; many requests of one transaction become one task.

    Losing the task loses nothing: the rows are marked as due, and beat looks at those.
    """
    _waiting.staff_ids.update(staff_ids)
    transaction.on_commit(_send_requests, robust=True)


def _send_requests() -> None:
    ids, _waiting.staff_ids = sorted(_waiting.staff_ids), set()
    if not Connection.objects.live().filter(organization__staff__in=ids).exists():
        return
    _make_due(ids)
    for batch in _chunks(ids, BATCH):
        send(REMATCH_TASK, batch)


@transaction.atomic
def _make_due(staff_ids: list[int]) -> None:
    """In the order in which answers are written, so that the two wait for each other instead of for ever."""
    rows = UserMatch.objects.filter(staff__in=staff_ids).order_by("staff_id", "pk")
    locked = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    UserMatch.objects.filter(pk__in=locked).update(queried_name=None)


def rematch_changed_staff() -> int:
    """Rematch whoever's field differs from what was looked up, or was never looked up; returns how many were due.

    For what no receiver saw (bulk writes, imports, a broker that was down). A bounded number of people a round; a
    connection with a run under way is left to the run.
    """
    work_until = end_of_shift()
    due = _changed_staff()
    connections = list(Connection.objects.filter(pk__in=due))
    random.shuffle(connections)  # when time runs out, it is not always the same ones that wait
    for connection in connections:
        if monotonic() < work_until:
            rematch_people(connection, due[connection.pk])
    return sum(map(len, due.values()))


def _changed_staff() -> dict[int, list[int]]:
    """Connection id -> the first staff ids that are due there, in one query."""
    busy = RematchRun.objects.running().rematches()
    free = Connection.objects.able_to_work().exclude(pk__in=busy.values("connection"))
    up_to_date = UserMatch.objects.filter(
        staff=OuterRef("pk"), connection=OuterRef("connection_id"), queried_name=OuterRef("user_name")
    )
    people = (
        StaffMember.objects.filter(is_active=True)
        .annotate(
            connection_id=F("organization__connections"),
            match_field=F("organization__connections__match_field"),
            user_name=_USER_NAME,
        )
        .filter(~Exists(up_to_date), connection_id__in=free.values("pk"))
        .annotate(place=Window(RowNumber(), partition_by="connection_id", order_by="pk"))
        .filter(place__lte=BATCH)
        .order_by("pk")
    )
    due: dict[int, list[int]] = defaultdict(list)
    for connection_id, staff_id in people.values_list("connection_id", "pk"):
        due[connection_id].append(staff_id)
    return due


_USER_NAME = Case(When(match_field=Value(MatchField.EMAIL), then=F("email")), default=F("username"))


# --- What the pages ask -----------------------------------------------------------------------------
def with_sharing(matches: QuerySet[UserMatch]) -> QuerySet[Any]:
    """The same rows, each with `is_shared`: whether another active person leads to the same remote user."""
    # More than "": of those without a remote user there may be thousands, which are no reason to look at each other.
    others = UserMatch.objects.filter(
        connection=OuterRef("connection"),
        remote_id=OuterRef("remote_id"),
        remote_id__gt="",
        directory=DirectoryState.MATCHED,
        staff__is_active=True,
    ).exclude(staff=OuterRef("staff"))
    return matches.annotate(is_shared=Exists(others))


def shared_remote_ids(connection: Connection, remote_ids: Iterable[str]) -> dict[str, list[UserMatch]]:
    """Remote users that more than one active person leads to, with those people's rows (`staff` loaded).

    One query, none without an id.
    """
    desired_state = [remote_id for remote_id in remote_ids if remote_id]
    if not desired_state:
        return {}
    matches = UserMatch.objects.filter(
        connection=connection,
        remote_id__in=desired_state,
        directory=DirectoryState.MATCHED,
        staff__is_active=True,
    )
    by_remote_id: dict[str, list[UserMatch]] = defaultdict(list)
    for match in matches.select_related("staff").order_by("staff"):
        by_remote_id[match.remote_id].append(match)
    return {remote_id: people for remote_id, people in by_remote_id.items() if len(people) > 1}

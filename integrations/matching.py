"""Who of the staff is whom on the platform: everybody in a run, or single people when something changed."""

from __future__ import annotations

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from integrations.answers import write_answers
from integrations.connections import note_event, pause, record_success
from integrations.models import (
    Connection,
    ConnectionStatus,
    DirectoryState,
    EventKind,
    MatchField,
    RematchRun,
    RematchState,
    UserMatch,
)
from integrations.nudges import send
from integrations.platforms import (
    Directory,
    DirectoryAnswer,
    ErrorKind,
    MatchReason,
    PlatformError,
    platform_of,
)
from integrations.rematch_runs import (
    Overtaken,
    advance,
    claim,
    end_runs,
    fail,
    growing_pause,
    hand_over,
    people_of,
    postpone,
    restart_run,
    resume_rematch_runs,
    start_run,
    succeed,
)
from staff.models import StaffMember

__all__ = [
    "end_runs",
    "rematch_changed_staff",
    "rematch_everywhere",
    "rematch_people",
    "request_rematch",
    "restart_run",
    "resume_rematch_runs",
    "shared_remote_ids",
    "start_run",
    "work_on_run",
]

logger = logging.getLogger(__name__)

REMATCH_TASK = "integrations.rematch_people"
#: People in one task, and people of one connection in one round of beat.
BATCH = 1000


# --- Everybody --------------------------------------------------------------------------------------
def work_on_run(run_id: int) -> None:
    """Go on with a run from its cursor, if it is due and nobody else has it.

    It may be killed at any moment and called twice: what a chunk wrote stays, and the cursor moves with it.
    """
    run = claim(run_id)
    if run is None:
        return
    try:
        _ask_for_everybody(run)
    except PlatformError as error:
        _interrupt(run, error)
    except Overtaken:
        logger.info("Rematch run %s is in other hands.", run_id)


def _ask_for_everybody(run: RematchRun) -> None:
    connection = run.connection
    if not connection.is_healthy:
        fail(run, _("%s is not connected. Everybody is rematched after Reauthorize.") % connection.name)
        return
    work_until = _end_of_shift()
    directory = platform_of(connection).open_directory(connection, max(run.total - run.done, 1))
    while asked := _next_people(run, directory.chunk_size):
        answers = _look_up(connection, directory, asked)
        with transaction.atomic():
            advance(run, max(asked), len(asked), write_answers(connection, asked, answers, run))
        if monotonic() > work_until:
            hand_over(run)
            return
    _finish(run)


def _end_of_shift() -> float:
    """When a task should stop of itself: well before its time limit, and before its lease is over."""
    shortest: float = min(settings.REMATCH_LEASE_SECONDS, settings.MEETING_TASK_TIME_LIMIT)
    return monotonic() + shortest / 2


def _next_people(run: RematchRun, how_many: int) -> dict[int, str]:
    """The next people behind the cursor: staff id -> what the matched field holds."""
    people = people_of(run.connection).filter(pk__gt=run.cursor).order_by("pk")
    return dict(people.values_list("pk", run.connection.match_field)[:how_many])


def _look_up(
    connection: Connection, directory: Directory, asked: Mapping[int, str]
) -> dict[str, DirectoryAnswer]:
    """An answer for each value; an empty field is answered without a call."""
    answers = {value: DirectoryAnswer(reason=MatchReason.FIELD_EMPTY) for value in asked.values()}
    user_names = [value for value in answers if value.strip()]
    if user_names:
        answers |= directory.find(user_names)
        record_success(connection.pk)
    return answers


@transaction.atomic
def _finish(run: RematchRun) -> None:
    counts = succeed(run)
    words = _("%(matched)d matched, %(unmatched)d unmatched, %(forbidden)d forbidden.") % counts
    note_event(run.connection, EventKind.REMATCHED, run.started_by, words)


def _interrupt(run: RematchRun, error: PlatformError) -> None:
    """Wait where waiting helps, else end the run; people keep their status either way."""
    logger.warning("Rematch run %s: %s (%s, request %s)", run.pk, error, error.kind, error.request_id)
    try:
        with transaction.atomic():
            # The connection's row before the run's, in the order that Disconnect takes them.
            _heed(run.connection, error)
            if _may_pass(run.connection, error):
                postpone(run, error.sentence, error.retry_after)
            else:
                fail(run, error.sentence)
    except Overtaken:
        logger.info("Rematch run %s is in other hands.", run.pk)


def _may_pass(connection: Connection, error: PlatformError) -> bool:
    """Whether the run should go on later. A refused sign-in that was renewed meanwhile is an ordinary failure."""
    if error.kind == ErrorKind.CONNECTION:
        return Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.CONNECTED).exists()
    return error.kind.is_waiting_useful


def _heed(connection: Connection, error: PlatformError) -> None:
    """A pause is for everybody.

    That a sign-in is dead was noted by the platform already, which knows which one it was: one that was renewed
    meanwhile is not called dead.
    """
    if error.kind == ErrorKind.THROTTLED:
        pause(connection.pk, error.retry_after or growing_pause(0))


# --- Single people ----------------------------------------------------------------------------------
def rematch_people(connection: Connection, staff_ids: Sequence[int]) -> None:
    """Look these people of the connection's organisation up now.

    When the platform fails, the last status stands. People who were asked for by `request_rematch` stay due, so that
    beat tries again.
    """
    if not Connection.objects.able_to_work().filter(pk=connection.pk).exists():
        return
    people = people_of(connection).filter(pk__in=staff_ids).order_by("pk")
    asked = dict(people.values_list("pk", connection.match_field))
    try:
        _ask_for(connection, asked)
    except PlatformError as error:
        logger.warning("Rematch on connection %s: %s (request %s)", connection.pk, error, error.request_id)
        _heed(connection, error)


def _ask_for(connection: Connection, asked: Mapping[int, str]) -> None:
    directory = platform_of(connection).open_directory(connection, len(asked))
    for chunk in _chunks(list(asked), directory.chunk_size):
        part = {pk: asked[pk] for pk in chunk}
        write_answers(connection, part, _look_up(connection, directory, part))


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
    UserMatch.objects.filter(staff__in=ids).update(looked_up=None)
    for batch in _chunks(ids, BATCH):
        send(REMATCH_TASK, batch)


def rematch_changed_staff() -> int:
    """Rematch whoever's field differs from what was looked up, or was never looked up; returns how many were due.

    For what no receiver saw (bulk writes, imports, a broker that was down). A bounded number of people a round; a
    connection with a run under way is left to the run.
    """
    work_until = _end_of_shift()
    due = _changed_staff()
    connections = list(Connection.objects.filter(pk__in=due))
    random.shuffle(connections)  # when time runs out, it is not always the same ones that wait
    for connection in connections:
        if monotonic() < work_until:
            rematch_people(connection, due[connection.pk])
    return sum(map(len, due.values()))


def _changed_staff() -> dict[int, list[int]]:
    """Connection id -> the first staff ids that are due there, in one query."""
    free = Connection.objects.able_to_work().exclude(rematch_runs__state=RematchState.RUNNING)
    up_to_date = UserMatch.objects.filter(
        staff=OuterRef("pk"), connection=OuterRef("connection_id"), looked_up=OuterRef("user_name")
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
def shared_remote_ids(connection: Connection, remote_ids: Iterable[str]) -> dict[str, list[UserMatch]]:
    """Remote users that more than one active person leads to, with those people's rows (`staff` loaded). One query."""
    matches = UserMatch.objects.filter(
        connection=connection,
        remote_id__in=[remote_id for remote_id in remote_ids if remote_id],
        directory=DirectoryState.MATCHED,
        staff__is_active=True,
    )
    by_remote_id: dict[str, list[UserMatch]] = defaultdict(list)
    for match in matches.select_related("staff").order_by("staff"):
        by_remote_id[match.remote_id].append(match)
    return {remote_id: people for remote_id, people in by_remote_id.items() if len(people) > 1}

"""Working on a rematch run: everybody is looked up, chunk by chunk, from wherever the run is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic

from django.conf import settings
from django.db import transaction

from integrations.circuit_breaker import record_failure
from integrations.events import record_event
from integrations.matching import rematch_lease
from integrations.matching.rematch_lease import (
    LeaseLost,
    advance,
    caller_of,
    claim,
    fail,
    hand_over,
    postpone,
    succeed,
)
from integrations.matching.rematch_runs import people_in
from integrations.matching.results import look_up, preview_results, write_results
from integrations.messages import Message, NeutralMessage
from integrations.models import (
    Connection,
    ConnectionStatus,
    EventKind,
    MatchChange,
    Meeting,
    RematchRun,
)
from integrations.platforms.base import Directory
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryResult, PlatformError

logger = logging.getLogger(__name__)


def work_on_run(run_id: int) -> None:
    """Go on with a run from its cursor, if it is due and nobody else has it.

    It may be killed at any moment and called twice: what a chunk wrote stays, and the cursor moves with it.
    """
    run = claim(run_id)
    if run is None:
        return
    # Whatever the connection's field is by now: the run asks for the one that it was started for.
    run.connection.match_field = run.match_field
    try:
        _ask_for_everybody(run)
    except PlatformError as error:
        _interrupt(run, error)
    except LeaseLost:
        logger.info("Rematch run %s is in other hands.", run_id)


def _ask_for_everybody(run: RematchRun) -> None:
    connection = run.connection
    if not connection.is_healthy:
        _give_up(run, _not_connected(run))
        return
    work_until = end_of_shift()
    directory = platform_of(connection).open_directory(connection, max(run.total - run.done, 1))
    while asked := _next_people(run, directory.chunk_size):
        answers = look_up(connection, directory, asked)
        with transaction.atomic():
            advance(run, max(asked), len(asked), _keep(run, asked, answers))
        if monotonic() > work_until or _others_first(directory):
            hand_over(run)
            return
    _finish(run)


def _others_first(directory: Directory) -> bool:
    """Whether somebody who has just booked waits for a worker, and another can go on here without asking anew."""
    return not directory.holds_everybody and Meeting.objects.unclaimed().exists()


def _not_connected(run: RematchRun) -> Message:
    code = NeutralMessage.PREVIEW_NOT_CONNECTED if run.is_preview else NeutralMessage.RUN_NOT_CONNECTED
    return Message(code, {"name": run.connection.name})


def _keep(
    run: RematchRun, asked: Mapping[int, str], answers: Mapping[str, DirectoryResult]
) -> list[MatchChange]:
    if run.is_preview:
        return preview_results(run.connection, asked, answers)
    return write_results(run.connection, asked, answers, run)


def end_of_shift() -> float:
    """When a task should stop of itself: well before its time limit, and before its lease is over."""
    shortest: float = min(rematch_lease.RUN_LEASE_DURATION.total_seconds(), settings.CELERY_TASK_TIME_LIMIT)
    return monotonic() + shortest / 2


def _next_people(run: RematchRun, how_many: int) -> dict[int, str]:
    """The next people behind the cursor: staff id -> what the matched field holds."""
    people = people_in(run).filter(pk__gt=run.cursor).order_by("pk")
    return dict(people.values_list("pk", run.match_field)[:how_many])


@transaction.atomic
def _finish(run: RematchRun) -> None:
    counts = succeed(run)
    _record_run_event(run, EventKind.REMATCHED, **{str(status): count for status, count in counts.items()})


def _interrupt(run: RematchRun, error: PlatformError) -> None:
    """Wait where waiting helps, else end the run; people keep their status either way."""
    logger.warning(
        "Rematch run %s: %s (%s, request %s)",
        run.pk,
        error.message.in_english(),
        error.kind,
        error.request_id,
        extra={"organization_id": run.connection.organization_id, "platform_request_id": error.request_id},
    )
    record_failure(run.connection_id, error, caller_of(run.pk))
    try:
        if _may_pass(run.connection, error):
            postpone(run, error.message, error.retry_after)
        else:
            _give_up(run, error.message)
    except LeaseLost:
        logger.info("Rematch run %s is in other hands.", run.pk)


@transaction.atomic
def _give_up(run: RematchRun, reason: Message) -> None:
    fail(run, reason)
    _record_run_event(run, EventKind.REMATCH_FAILED, done=run.done, total=run.total, reason=reason)


def _record_run_event(run: RematchRun, kind: EventKind, **params: int | str | Message) -> None:
    # A preview changes nothing.
    if not run.is_preview:
        record_event(run.connection, kind, run.started_by, **params)


def _may_pass(connection: Connection, error: PlatformError) -> bool:
    """Whether the run should go on later. A refused sign-in that was renewed meanwhile is an ordinary failure."""
    if error.kind == ErrorKind.CONNECTION:
        return Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.CONNECTED).exists()
    return error.kind.is_waiting_useful

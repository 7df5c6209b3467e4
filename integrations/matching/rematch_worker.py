"""Work on a rematch run: look up the staff in chunks, from the run's cursor on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import islice, takewhile
from time import monotonic

from django.conf import settings
from django.db import transaction

from integrations.circuit_breaker import record_failure
from integrations.events import record_event
from integrations.matching import rematch_lease
from integrations.matching.lookup_pauses import end_lookup_pause
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
from integrations.matching.results import look_up, preview_results, with_result, write_results
from integrations.messages import Message, NeutralMessage
from integrations.models import (
    Connection,
    ConnectionStatus,
    EventKind,
    MatchChange,
    Meeting,
    RematchRun,
    UserMatch,
)
from integrations.platforms.base import Directory
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import DirectoryResult, IncompleteLookup, PlatformError

logger = logging.getLogger(__name__)


def work_on_run(run_id: int) -> None:
    """Continue a due run from its cursor.

    The worker may be killed at any time: a chunk's results and the cursor are written in one transaction.
    """
    run = claim(run_id)
    if run is None:
        return
    # The connection's field may have changed since the start.
    run.connection.match_field = run.match_field
    try:
        _look_up_all(run)
    except PlatformError as error:
        _interrupt(run, error)
    except LeaseLost:
        logger.info("Rematch run %s belongs to another worker.", run_id)


def _look_up_all(run: RematchRun) -> None:
    connection = run.connection
    if not connection.is_healthy:
        _fail_run(run, _not_connected_reason(run))
        return
    work_until = end_of_shift()
    directory = platform_of(connection).open_directory(connection, max(run.total - run.done, 1))
    while user_names := _next_user_names(run, directory.chunk_size):
        try:
            results = look_up(connection, directory, user_names)
        except IncompleteLookup as error:
            _store_results(run, user_names, error.results)
            raise
        _store_results(run, user_names, results)
        if monotonic() > work_until or _must_yield(directory):
            hand_over(run)
            return
    _finish(run)


def _store_results(run: RematchRun, user_names: Mapping[int, str], results: Mapping[str, DirectoryResult]) -> None:
    """Store the results with the progress. The cursor stops before the first person without a result.

    Results of people after the cursor are stored, too, so that `_next_user_names` leaves these people out. A preview
    stores no matches, so it looks them up again.
    """
    prefix = dict(takewhile(lambda item: item[1] in results, sorted(user_names.items())))
    answered = prefix if run.is_preview else with_result(user_names, results)
    if not answered:
        return
    with transaction.atomic():
        changes = _apply_results(run, answered, results)
        advance(run, max(prefix, default=run.cursor), len(answered), changes)


def _must_yield(directory: Directory) -> bool:
    """Return whether a fresh booking waits for a worker, and another task can continue without loading all users."""
    return not directory.is_fully_loaded and Meeting.objects.unclaimed().exists()


def _not_connected_reason(run: RematchRun) -> Message:
    code = NeutralMessage.PREVIEW_NOT_CONNECTED if run.is_preview else NeutralMessage.RUN_NOT_CONNECTED
    return Message(code, {"name": run.connection.name})


def _apply_results(
    run: RematchRun, user_names: Mapping[int, str], results: Mapping[str, DirectoryResult]
) -> list[MatchChange]:
    if run.is_preview:
        return preview_results(run.connection, user_names, results)
    return write_results(run.connection, user_names, results, run)


def end_of_shift() -> float:
    """Return the monotonic time at which a task should stop: well before its time limit and the end of its lease."""
    shortest: float = min(rematch_lease.RUN_LEASE_DURATION.total_seconds(), settings.CELERY_TASK_TIME_LIMIT)
    return monotonic() + shortest / 2


def _next_user_names(run: RematchRun, count: int) -> dict[int, str]:
    """Return the next staff ids behind the cursor without a result of this run, with the values of the match field."""
    answered = _answered_after_cursor(run)
    people = people_in(run).filter(pk__gt=run.cursor).order_by("pk").values_list("pk", run.match_field)
    unanswered = (person for person in people[: count + len(answered)] if person[0] not in answered)
    return dict(islice(unanswered, count))


def _answered_after_cursor(run: RematchRun) -> set[int]:
    """Return the staff ids behind the cursor that already have a result of this run. Usually there are none.

    Not part of the query for people: PostgreSQL would read all matches of the run for each of them.
    """
    matches = UserMatch.objects.filter(
        connection=run.connection_id, run=run, checked_at__gte=run.started_at, staff__gt=run.cursor
    )
    return set(matches.values_list("staff_id", flat=True))


@transaction.atomic
def _finish(run: RematchRun) -> None:
    counts = succeed(run)
    end_lookup_pause(run.connection)
    _record_run_event(run, EventKind.REMATCHED, **{str(status): count for status, count in counts.items()})


def _interrupt(run: RematchRun, error: PlatformError) -> None:
    """Postpone the run if waiting helps, otherwise end it. Staff keep their status."""
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
        if error.kind == ErrorKind.UNUSABLE and run.unusable_answers + 1 >= MOST_UNUSABLE_ANSWERS:
            _fail_run(run, Message(NeutralMessage.RUN_WITHOUT_USABLE_ANSWER, {"times": MOST_UNUSABLE_ANSWERS}))
        elif _is_waiting_useful(run.connection, error):
            postpone(run, error)
        else:
            _fail_run(run, error.message)
    except LeaseLost:
        logger.info("Rematch run %s belongs to another worker.", run.pk)


@transaction.atomic
def _fail_run(run: RematchRun, reason: Message) -> None:
    fail(run, reason)
    _record_run_event(run, EventKind.REMATCH_FAILED, done=run.done, total=run.total, reason=reason)


def _record_run_event(run: RematchRun, kind: EventKind, **params: int | str | Message) -> None:
    # A preview changes nothing.
    if not run.is_preview:
        record_event(run.connection, kind, run.started_by, **params)


def _is_waiting_useful(connection: Connection, error: PlatformError) -> bool:
    """Return whether to continue later. After a refused sign-in, only if an admin has renewed it meanwhile."""
    if error.kind == ErrorKind.CONNECTION:
        return Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.CONNECTED).exists()
    return error.kind.is_waiting_useful

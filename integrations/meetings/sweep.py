"""The sweep: what nobody was told of is told again, and what cannot be done any more is ended with a sentence."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.leases import unleased
from integrations.meetings.signals import announce, enqueue_meetings_on_commit
from integrations.meetings.sweep_queries import Todo, look, unexplained, unheard
from integrations.models import Connection, ConnectionStatus, DesiredState, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.task_queue import Priority

logger = logging.getLogger(__name__)

# How long after its end a cancelled meeting is still worth deleting.
_TIDYING = timedelta(days=1)


def sweep() -> int:
    """Tell workers about the meetings that are due, soonest first; returns how many. Called every few seconds.

    Of a hundred thousand meetings it looks at those that are not done with: what it asks for has an index of its own.
    """
    todo = look()
    if todo.over:
        end_over(Meeting.objects.all())
    if todo.abandoned:
        abandon(Connection.objects.filter(status=ConnectionStatus.DISCONNECTED))
    if todo.unexplained:
        explain_waiting()
    nudged = _nudge_due(todo) if todo.unheard else 0
    if nudged:
        logger.info("The sweep nudged %s meetings.", nudged)
    return nudged


def _nudge_due(todo: Todo) -> int:
    """As many as make up a batch with those that wait for a worker already: the queue stays short, and in order."""
    room = settings.MEETING_SWEEP_BATCH - todo.queued
    if room <= 0:
        return 0
    ids = _nudged(_with_probes(room) if todo.down else _soonest(room, settings.MEETING_NUDGE_PAUSE_SECONDS))
    enqueue_meetings_on_commit(ids, Priority.SWEPT)
    return len(ids)


def _nudged(rows: tuple[str, Any]) -> list[UUID]:
    """The ids that this statement locks, soonest first, noted as nudged in the same round trip."""
    statement, params = rows
    with database.cursor() as cursor:
        # Materialized: a plan that ran the inner statement twice would lock more rows than there is room for.
        cursor.execute(
            f"WITH due (id) AS MATERIALIZED ({statement}) UPDATE integrations_meeting AS meeting "  # noqa: S608
            "SET enqueued_at = statement_timestamp() FROM due WHERE meeting.id = due.id "
            "RETURNING meeting.starts_at, meeting.id",
            params,
        )
        return [pk for _, pk in sorted(cursor.fetchall())]


@cache
def _soonest(room: int, nudge_pause: int) -> tuple[str, Any]:
    """The statement that locks them, put together once, as those of `look`."""
    return _statement(_to_nudge(), room)


def _with_probes(room: int) -> tuple[str, Any]:
    to_enqueue = _to_nudge()
    return _statement(
        to_enqueue.filter(Q(connection__probe_at__isnull=True) | Q(pk__in=_probes(to_enqueue))), room
    )


def _statement(meetings: QuerySet[Meeting], room: int) -> tuple[str, Any]:
    # Django writes no locking statement outside a transaction; this one is run as a part of another, by itself.
    with transaction.atomic():
        statement: tuple[str, Any] = _rows_to_lock(meetings)[:room].query.sql_with_params()
    return statement


def _to_nudge() -> QuerySet[Meeting]:
    return Meeting.objects.due().filter(unheard()).order_by("starts_at", "pk")


def _probes(due: QuerySet[Meeting]) -> list[UUID]:
    """Where a platform is thought to be down one meeting is enough to find out; more would only be turned away.

    The soonest one of each such connection. One that fails is due later than the others then, so they take turns.
    """
    down = due.filter(connection__probe_at__isnull=False).order_by("connection_id", "starts_at", "pk")
    return list(down.distinct("connection_id").values_list("pk", flat=True))


def end_over(meetings: QuerySet[Meeting]) -> None:
    """Whatever should have happened before the appointment's end and did not is ended without a call.

    A cancelled meeting is still deleted for a day, as its link may be open somewhere.
    """
    over = _open(meetings).filter(ends_at__lte=Now())
    if not over.exists():
        return
    live, agreed = Q(desired_state=DesiredState.PRESENT), Q(synced_version=F("version"))
    stale = ~live & Q(ends_at__lte=Now() - _TIDYING)
    _end(over.filter((live | stale) & agreed))
    _fail(
        over.filter(live & ~agreed), _("The appointment ended before the video platform could be told of it.")
    )
    _end(
        over.filter(stale & ~agreed),
        synced_version=F("version"),
        warning=_("The meeting could not be deleted; the video platform still has it."),
    )


def abandon(connections: QuerySet[Connection]) -> None:
    """Nobody can reach these meetings any more: their connections were disconnected.

    Ready meetings keep their link. A call that is under way still writes its link: its lease is left alone.
    Call it in the transaction that disconnects.
    """
    meetings = Meeting.objects.filter(connection__in=connections)
    live, agreed, due = (
        Q(desired_state=DesiredState.PRESENT),
        Q(synced_version=F("version")),
        Q(due_at__isnull=False),
    )
    # What would still have been compared is compared if it is connected again (`meetings.compare_what_was_left`), and
    # what may land late is not forgotten.
    still: dict[str, Any] = {"everything": True, "recheck_at": F("recheck_at")}
    _end(meetings.filter(due & agreed & live), **still)
    _end(
        meetings.filter(due & agreed & ~live),
        **still,
        warning=_(
            "The platform was disconnected before it was certain that the meeting was deleted: it may still have it."
        ),
    )
    _fail(
        meetings.filter(due & live & ~agreed, join_url=""),
        _(
            "The video platform was disconnected before the link was made. Connect it again and choose "
            "“Try again”, or give the appointment another meeting method."
        ),
        **still,
    )
    _fail(
        meetings.filter(due & live & ~agreed).exclude(join_url=""),
        _("The video platform was disconnected: the link still works, but the platform shows the old time."),
        **still,
    )
    _end(
        meetings.deleting(),
        **still,
        synced_version=F("version"),
        warning=_("The platform was disconnected before the meeting was deleted: it still has it."),
    )


def explain_waiting() -> None:
    """Meetings that nobody can work on at the moment say why, instead of seeming to take long."""
    sentences = {
        ErrorKind.CONNECTION: _(
            "The connection to the video platform must be reauthorized by an admin (Settings, Video Calls). "
            "This goes on by itself afterwards."
        ),
        ErrorKind.OUTAGE: _(
            "The video platform gives no answers at the moment. Coconut tries again by itself."
        ),
        ErrorKind.THROTTLED: _("The video platform asked Coconut to wait. Coconut goes on by itself."),
    }
    for kind, waiting in unexplained().items():
        _change(Meeting.objects.filter(waiting), error_kind=kind, error_sentence=sentences[kind])


def _open(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Meetings that are due now or later and that nobody holds."""
    return meetings.filter(unleased(), due_at__isnull=False)


def _fail(meetings: QuerySet[Meeting], sentence: str, *, everything: bool = False, **fields: Any) -> None:
    _end(
        meetings,
        everything=everything,
        **fields,
        error_kind=ErrorKind.ENDED,
        error_sentence=sentence,
        error_request_id="",
    )


def _end(meetings: QuerySet[Meeting], *, everything: bool = False, **fields: Any) -> None:
    _change(meetings, everything=everything, due_at=None, **{"recheck_at": None, **fields})


@transaction.atomic
def _change(meetings: QuerySet[Meeting], *, everything: bool = False, **fields: Any) -> None:
    ids = _locked(meetings, at_most=None if everything else settings.MEETING_SWEEP_BATCH)
    Meeting.objects.filter(pk__in=ids).update(**fields)
    for meeting_id in ids:
        announce(meeting_id)


def _locked(meetings: QuerySet[Meeting], *, at_most: int | None) -> list[UUID]:
    """The ids of so many of them, or all, locked. What is being written at this moment is left to the next sweep."""
    return list(_rows_to_lock(meetings)[:at_most])


def _rows_to_lock(meetings: QuerySet[Meeting]) -> Any:
    rows = meetings.select_for_update(skip_locked=True, of=("self",), no_key=True)
    return rows.values_list("pk", flat=True)

"""A circuit for each connection: a platform that is down is probed by one caller at a time, not hammered by all.

What counts stands in the connection's row, so that all workers agree. When several callers in a row got no answer the
circuit opens: nobody calls for a while, then one caller does. As long as that is in vain the pauses grow; the first
answer, even a refusal, closes the circuit, and what waited is due.

One caller alone never opens it, however often it fails: there may be a meeting for which the platform gives nothing but
errors while it serves everybody else. That one has growing pauses of its own.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from typing import Any, Final

from django.db import connection as database
from django.db import transaction
from django.db.models import BooleanField, Case, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Now
from django.dispatch import Signal

from coconut import leases
from coconut.backoff import backoff
from integrations.messages import Message
from integrations.models import (
    Connection,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import ErrorScope, PlatformError

logger = logging.getLogger(__name__)

#: So many callers in a row without an answer, and the platform is thought to be down.
FAILURES_TO_OPEN: Final = 3
#: Pauses after an outage, with exponential backoff.
FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 900
#: Longest pause between the probes of an open circuit.
LONGEST_PROBE_PAUSE_SECONDS = 120
# The pauses are at their longest long before.
_MOST_COUNTED: Final = 20


def may_call(connection_id: int, caller: str) -> bool:
    """Return whether `caller` may call the platform now. While the platform seems down, one caller at a time may.

    Background work asks first; Check connection always calls. After a call, the caller must record the outcome with
    `record_success` or `record_failure`.
    """
    able = Connection.objects.able_to_work().filter(pk=connection_id)
    return able.filter(probe_at=None).exists() or acquire_probe(able, caller)


def acquire_probe(connections: QuerySet[Connection], caller: str) -> bool:
    """Be the one who finds out whether the platform answers again, if it is time for that and nobody else is at it.

    A prober that dies is followed by another one when its lease is over.
    """
    # The time stands in the WHERE of the UPDATE itself: of two workers the second one finds it changed.
    probe_at = Now() + leases.LEASE_DURATION
    return bool(connections.filter(probe_at__lte=Now()).update(probe_at=probe_at, probe_owner=caller))


def give_back(connection_id: int, caller: str) -> None:
    """The prober had no reason to call after all: somebody else may."""
    probed_by(caller).filter(pk=connection_id).update(probe_at=Now(), probe_owner="")


def probed_by(caller: str) -> QuerySet[Connection]:
    """The connections that `caller` has taken the probe of."""
    return Connection.objects.filter(probe_owner=caller, probe_at__isnull=False)


def record_failure(
    connection_id: int, error: PlatformError, caller: str, *, wait: float | None = None
) -> None:
    """Draw the conclusions of a failed call for everybody on the connection: wait as told, or until it answers again.

    `wait` is how long the caller itself waits, in seconds: so long all do where the platform asks for a pause.

    That a sign-in is dead was noted by the platform already, which knows which one it was: one that was renewed
    meanwhile is not called dead.
    """
    if error.kind == ErrorKind.OUTAGE:
        record_trouble(connection_id, error)
        _note_unanswered(connection_id, caller, error.retry_after or 0.0)
        return
    close_circuit(connection_id)
    if error.kind == ErrorKind.THROTTLED and error.scope == ErrorScope.CONNECTION:
        pause(connection_id, wait or error.retry_after or growing_pause(0))


@transaction.atomic
def _note_unanswered(connection_id: int, caller: str, at_least: float) -> None:
    """Count it; open the circuit, or leave it open for longer.

    Calls that were under way when it opened count for nothing: only the prober knows how the platform is now.
    """
    connection = Connection.objects.lock(connection_id)
    is_open = connection.probe_at is not None
    if caller != connection.probe_owner if is_open else caller in connection.consecutive_failures:
        return
    connection.consecutive_failures = [*connection.consecutive_failures, caller][:_MOST_COUNTED]
    failed_probes = len(connection.consecutive_failures) - FAILURES_TO_OPEN
    if failed_probes >= 0:
        longest = LONGEST_PROBE_PAUSE_SECONDS
        seconds = max(growing_pause(failed_probes, longest), min(at_least, longest))
        connection.probe_at, connection.probe_owner = Now() + timedelta(seconds=seconds), ""
        logger.warning("Connection %s gives no answers; the next try is in %d s.", connection_id, seconds)
    connection.save(update_fields=["consecutive_failures", "probe_at", "probe_owner"])


def growing_pause(failures: int, longest: float | None = None) -> float:
    """Return the seconds to wait after `failures` earlier failures in a row."""
    return backoff(failures, first=FIRST_PAUSE_SECONDS, longest=longest or LONGEST_PAUSE_SECONDS)


SUCCESS_STAMP_EVERY = timedelta(minutes=1)


#: What is written where the platform is not thought to be down (`integrations.circuit_breaker`).
CLOSED: Final[dict[str, Any]] = {"consecutive_failures": [], "probe_at": None, "probe_owner": ""}


#: Sent after a success that follows trouble or silence: sender=Connection, connection_id=int. Waiting work goes on.
#: `was_gone=True` where the connection had been disconnected.
connection_recovered = Signal()


def pause(connection_id: int, seconds: float) -> None:
    """Make everybody wait before the platform is called again; a longer pause that was asked before stands."""
    Connection.objects.filter(pk=connection_id).update(
        paused_until=Greatest("paused_until", Now() + timedelta(seconds=seconds))
    )


def record_success(connection_id: int) -> None:
    """Note that the platform answered. Cheap: the row is read, and written once a minute at most.

    The write that ends a pause, an outage or a minute of silence also makes due what waits for a later moment because
    of an earlier failure. A pause that is not over stays: an answer may overtake the request to slow down. Nobody is
    made due for a failure that nobody else had: a meeting that always fails would be tried with each success of others.
    """
    sql, (*parameters, _) = _success_is_news()
    with database.cursor() as cursor:
        cursor.execute(sql, [*parameters, connection_id])
        news = cursor.fetchone()
    if news is None:
        return
    Connection.objects.filter(_IS_NEWS, pk=connection_id).update(
        last_success_at=Now(),
        paused_until=Case(When(_PAUSE_IS_OVER, then=Value(None)), default=F("paused_until")),
        trouble_kind="",
        trouble=Message(),
        trouble_since=None,
        **CLOSED,
    )
    [recovered] = news
    if recovered:
        _go_on(connection_id)


_PAUSE_IS_OVER: Final = Q(paused_until__lte=Now())


_IS_SILENT: Final = Q(last_success_at__isnull=True) | Q(last_success_at__lt=Now() - SUCCESS_STAMP_EVERY)


_IS_RECOVERY: Final = (
    _PAUSE_IS_OVER | _IS_SILENT | Q(probe_at__isnull=False) | Q(trouble_kind=ErrorKind.OPERATOR)
)


_IS_NEWS: Final = _IS_RECOVERY | ~Q(trouble_kind="") | ~Q(consecutive_failures=[])


@cache
def _success_is_news() -> tuple[str, tuple[Any, ...]]:
    """Whether a success must be written, and ends something; the connection is the last parameter.

    Put together once: that takes longer than the answer, and every call of a platform waits for it.
    """
    # A comparison with nothing is neither true nor false.
    is_recovered = Coalesce(ExpressionWrapper(_IS_RECOVERY, BooleanField()), False)
    news = Connection.objects.filter(_IS_NEWS).filter(pk=0).annotate(is_recovered=is_recovered)
    statement: tuple[str, tuple[Any, ...]] = news.values_list("is_recovered").query.sql_with_params()
    return statement


def close_circuit(connection_id: int) -> None:
    """The platform answered, if only with a refusal: it is there. Where it was thought to be down, work goes on."""
    this = Connection.objects.filter(pk=connection_id)
    if this.filter(probe_at__isnull=False).update(**CLOSED):
        _go_on(connection_id)
    else:
        this.exclude(consecutive_failures=[]).update(**CLOSED)


def _go_on(connection_id: int) -> None:
    connection_recovered.send(sender=Connection, connection_id=connection_id)


def record_trouble(connection_id: int, problem: PlatformError) -> None:
    """Note what hinders work on a connection that stays connected: no answer, or our own credentials refused.

    Other failures have a place of their own: a status, a pause, a person, a meeting. The first of several alike tells
    since when; `record_success` ends it.
    """
    if problem.kind not in (ErrorKind.OUTAGE, ErrorKind.OPERATOR):
        return
    Connection.objects.live().filter(pk=connection_id).exclude(trouble_kind=problem.kind).update(
        trouble_kind=problem.kind, trouble=problem.message, trouble_since=Now()
    )

"""Circuit breaker of a connection: if its platform is down, one caller at a time probes it.

The state is in the connection's row, so all workers agree. The circuit opens after several different callers in a row
got no answer. Then calls stop until `probe_at`, when one caller may probe. Failed probes make the pauses longer. Any
answer, even a refusal, closes the circuit and makes waiting work due.

A single caller never opens the circuit: the platform may fail for one meeting and work for all others.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import BooleanField, Case, DurationField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Now
from django.dispatch import Signal

from coconut import leases
from coconut.backoff import backoff
from integrations.messages import Message
from integrations.models import Connection, HostPause
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import ErrorScope, PlatformError

logger = logging.getLogger(__name__)

#: Callers in a row without an answer that open the circuit.
FAILURES_TO_OPEN: Final = 3
#: Pauses after an outage, with exponential backoff.
FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 900
#: Longest pause between the probes of an open circuit.
LONGEST_PROBE_PAUSE_SECONDS = 120
# The pause reaches its limit long before.
_MOST_COUNTED_FAILURES: Final = 20
#: A success is written to the row at most this often, if nothing else has changed.
SUCCESS_STAMP_EVERY: Final = timedelta(minutes=1)
#: Column values of a closed circuit.
CLOSED: Final[dict[str, Any]] = {"consecutive_failures": [], "probe_at": None, "probe_owner": ""}

#: Sent when waiting work may continue: after a success that follows trouble or a minute without calls, after
#: Reauthorize, and after connecting again. `sender=Connection, connection_id: int`; `was_gone=True` if the connection
#: had been disconnected.
connection_recovered = Signal()

_PAUSE_IS_OVER: Final = Q(paused_until__lte=Now())
_IS_SILENT: Final = Q(last_success_at__isnull=True) | Q(last_success_at__lt=Now() - SUCCESS_STAMP_EVERY)
_RECOVERS: Final = _PAUSE_IS_OVER | _IS_SILENT | Q(probe_at__isnull=False) | Q(trouble_kind=ErrorKind.OPERATOR)
_SUCCESS_CHANGES_ROW: Final = _RECOVERS | ~Q(trouble_kind="") | ~Q(consecutive_failures=[])


def may_call(connection_id: int, caller: str) -> bool:
    """Return whether `caller` may call the platform now, and acquire the probe if the circuit is open.

    For background work; a check that an admin requests isn't limited. A caller that may call must report the result
    to `record_success` or `record_failure`, or give the probe back with `release_probe`.
    """
    connections = Connection.objects.able_to_work().filter(pk=connection_id)
    return connections.filter(probe_at=None).exists() or acquire_probe(connections, caller)


def acquire_probe(connections: QuerySet[Connection], caller: str) -> bool:
    """Make `caller` the only one that may call, if the time of the next probe has come.

    The probe is leased: if its owner dies, another caller can acquire it later.
    """
    # The condition is part of the UPDATE: of two workers, the second finds `probe_at` changed.
    probe_at = Now() + leases.LEASE_DURATION
    return bool(connections.filter(probe_at__lte=Now()).update(probe_at=probe_at, probe_owner=caller))


def release_probe(connection_id: int, caller: str) -> None:
    """Let another caller probe at once, because `caller` had no reason to call."""
    probed_by(caller).filter(pk=connection_id).update(probe_at=Now(), probe_owner="")


def probed_by(caller: str) -> QuerySet[Connection]:
    """Return the connections whose probe `caller` owns."""
    return Connection.objects.filter(probe_owner=caller, probe_at__isnull=False)


def record_failure(connection_id: int, error: PlatformError, caller: str, *, wait: float | None = None) -> None:
    """Record a failed call: pause the connection, or count towards opening its circuit.

    `wait` is the caller's own delay in seconds. If the platform throttles, the whole connection waits as long.
    A refused sign-in isn't recorded here: the platform calls `require_reauthorization`, because only the platform
    knows whether the refused sign-in is still the current one.
    """
    if error.kind == ErrorKind.OUTAGE:
        record_trouble(connection_id, error)
        _count_outage(connection_id, caller, error.retry_after or 0.0)
        return
    close_circuit(connection_id)
    if error.kind == ErrorKind.THROTTLED and error.scope == ErrorScope.CONNECTION:
        pause(connection_id, wait or error.retry_after or growing_pause(0))


@transaction.atomic
def _count_outage(connection_id: int, caller: str, at_least: float) -> None:
    """Count a call without an answer, and open the circuit or keep it open for longer.

    While the circuit is open only the probe counts: other calls started before it opened.
    """
    connection = Connection.objects.lock(connection_id)
    is_open = connection.probe_at is not None
    if caller != connection.probe_owner if is_open else caller in connection.consecutive_failures:
        return
    connection.consecutive_failures = [*connection.consecutive_failures, caller][:_MOST_COUNTED_FAILURES]
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


def pause(connection_id: int, seconds: float) -> None:
    """Make all callers wait for `seconds`. A pause that ends later stays."""
    Connection.objects.filter(pk=connection_id).update(
        paused_until=Greatest("paused_until", Now() + timedelta(seconds=seconds))
    )


def remaining_pause(connection_id: int) -> float:
    """Return the seconds until the end of the connection's pause, 0 without one."""
    left = ExpressionWrapper(F("paused_until") - Now(), DurationField())
    paused = Connection.objects.filter(pk=connection_id, paused_until__gt=Now())
    seconds: timedelta | None = paused.values_list(left, flat=True).first()
    return seconds.total_seconds() if seconds is not None else 0.0


def pause_organizer(connection_id: int, organizer_id: str, seconds: float, scope: ErrorScope) -> None:
    """Make the meetings of one organizer wait, unless the scope is the whole connection.

    If the scope is unclear and another organizer is paused too, the limit is probably the connection's: all wait.
    """
    if scope == ErrorScope.CONNECTION:
        return
    HostPause.objects.pause(connection_id, organizer_id, timedelta(seconds=seconds))
    # Read after the write: of two workers that are refused at once, one sees both pauses.
    if scope == ErrorScope.UNCLEAR and HostPause.objects.others_paused(connection_id, organizer_id).exists():
        pause(connection_id, seconds)


def record_success(connection_id: int) -> None:
    """Record that the platform answered. Reads the row; writes it at most once a minute if nothing has changed.

    If the success ends a pause, an outage or a minute of silence, `connection_recovered` is sent. A pause that isn't
    over stays, because the answer may have overtaken the request to slow down.
    """
    connections = Connection.objects.filter(_SUCCESS_CHANGES_ROW, pk=connection_id)
    # Coalesce: comparing NULL gives NULL, not false.
    recovers = Coalesce(ExpressionWrapper(_RECOVERS, BooleanField()), False)
    has_recovered = connections.values_list(recovers, flat=True).first()
    if has_recovered is None:
        return
    connections.update(
        last_success_at=Now(),
        paused_until=Case(When(_PAUSE_IS_OVER, then=Value(None)), default=F("paused_until")),
        trouble_kind="",
        trouble=Message(),
        trouble_since=None,
        **CLOSED,
    )
    if has_recovered:
        _send_recovered(connection_id)


def close_circuit(connection_id: int) -> None:
    """Forget the failures, because the platform answered. If the circuit was open, waiting work continues."""
    connections = Connection.objects.filter(pk=connection_id)
    if connections.filter(probe_at__isnull=False).update(**CLOSED):
        _send_recovered(connection_id)
    else:
        connections.exclude(consecutive_failures=[]).update(**CLOSED)


def _send_recovered(connection_id: int) -> None:
    connection_recovered.send(sender=Connection, connection_id=connection_id)


def record_trouble(connection_id: int, error: PlatformError) -> None:
    """Record on a live connection that the platform is down or refuses our own credentials.

    Other kinds of failure are recorded elsewhere: as status, pause, match or meeting. The first of several equal
    failures sets `trouble_since`; `record_success` clears it.
    """
    if error.kind not in (ErrorKind.OUTAGE, ErrorKind.OPERATOR):
        return
    Connection.objects.live().filter(pk=connection_id).exclude(trouble_kind=error.kind).update(
        trouble_kind=error.kind, trouble=error.message, trouble_since=Now()
    )

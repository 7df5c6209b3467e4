"""A circuit for each connection: a platform that is down is probed by one caller at a time, not hammered by all.

What counts stands in the connection's row, so that all workers agree. When several callers in a row got no answer the
circuit opens: nobody calls for a while, then one caller does. As long as that is in vain the pauses grow; the first
answer, even a refusal, closes the circuit, and what waited is due.

One caller alone never opens it, however often it fails: there may be a meeting for which the platform gives nothing but
errors while it serves everybody else. That one has growing pauses of its own.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.connections.lifecycle import close_circuit, pause, record_trouble
from integrations.models import Connection
from integrations.platforms.base import PlatformError
from integrations.platforms.failures import ErrorKind

logger = logging.getLogger(__name__)

#: So many callers in a row without an answer, and the platform is thought to be down.
MOST_UNANSWERED: Final = 3
# The pauses are at their longest long before.
_MOST_COUNTED: Final = 20


def may_call(connection_id: int, caller: str) -> bool:
    """Whether `caller` may call the platform now. Where it is thought to be down, one caller at a time may.

    For work in the background; a person who asks for a check passes. Whoever may call says how it went:
    `connections.record_success` or `heed`.
    """
    able = Connection.objects.able_to_work().filter(pk=connection_id)
    return able.filter(probe_at=None).exists() or take_probe(able, caller)


def take_probe(connections: QuerySet[Connection], caller: str) -> bool:
    """Be the one who finds out whether the platform answers again, if it is time for that and nobody else is at it.

    A prober that dies is followed by another one when its lease is over.
    """
    # The time stands in the WHERE of the UPDATE itself: of two workers the second one finds it changed.
    lease = timedelta(seconds=settings.MEETING_LEASE_SECONDS)
    return bool(connections.filter(probe_at__lte=Now()).update(probe_at=Now() + lease, prober=caller))


def give_back(connection_id: int, caller: str) -> None:
    """The prober had no reason to call after all: somebody else may."""
    is_probing(caller).filter(pk=connection_id).update(probe_at=Now(), prober="")


def is_probing(caller: str) -> QuerySet[Connection]:
    """The connections that `caller` has taken the probe of."""
    return Connection.objects.filter(prober=caller, probe_at__isnull=False)


def heed(connection_id: int, error: PlatformError, caller: str, *, wait: float | None = None) -> None:
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
    if error.kind == ErrorKind.THROTTLED:
        pause(connection_id, wait or error.retry_after or growing_pause(0))


@transaction.atomic
def _note_unanswered(connection_id: int, caller: str, at_least: float) -> None:
    """Count it; open the circuit, or leave it open for longer.

    Calls that were under way when it opened count for nothing: only the prober knows how the platform is now.
    """
    connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    is_open = connection.probe_at is not None
    if caller != connection.prober if is_open else caller in connection.unanswered:
        return
    connection.unanswered = [*connection.unanswered, caller][:_MOST_COUNTED]
    failed_probes = len(connection.unanswered) - MOST_UNANSWERED
    if failed_probes >= 0:
        longest = settings.CIRCUIT_PAUSE_MAX_SECONDS
        seconds = max(growing_pause(failed_probes, longest), min(at_least, longest))
        connection.probe_at, connection.prober = Now() + timedelta(seconds=seconds), ""
        logger.warning("Connection %s gives no answers; the next try is in %d s.", connection_id, seconds)
    connection.save(update_fields=["unanswered", "probe_at", "prober"])


def growing_pause(failures: int, longest: float | None = None) -> float:
    """Seconds to wait after so many earlier failures in a row: doubling up to a limit, with jitter."""
    most = settings.MEETING_BACKOFF_MAX_SECONDS if longest is None else longest
    wait: float = min(settings.MEETING_BACKOFF_SECONDS * 2 ** min(failures, 20), most)
    return wait * random.uniform(0.75, 1)  # noqa: S311 - spreads load, keeps no secret

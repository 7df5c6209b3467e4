"""Is the process alive, and can the installation do its work?

Strangers may ask, so an answer tells nothing but that, and is kept for a moment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache as once
from time import monotonic

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from integrations.monitoring.backlog import oldest_due_seconds

HEARTBEAT_KEY = "worker-heartbeat"
CLOCK_KEY = "beat-heartbeat"
# Longer than a task may take, so that a worker with its hands full is not called dead.
HEARTBEAT_LIFE_SECONDS = 120
# How long an answer of /readyz is good for: whoever asks a thousand times a second makes no work.
GOOD_FOR_SECONDS = 2.0


@dataclass(frozen=True)
class Readiness:
    """Which parts do their work. None: it cannot be told, because of another one that does not."""

    database: bool
    migrated: bool | None
    broker: bool
    cache: bool
    beat: bool | None
    worker: bool | None
    queue: bool | None
    oldest_due_seconds: float | None


_latest: tuple[float, Readiness] | None = None


def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else 503.

    Everything else is only reported: people still book without it, and links follow later.
    """
    found = readiness()
    return JsonResponse(asdict(found), status=200 if found.database else 503)


def readiness() -> Readiness:
    """How everything is, found out anew every two seconds at most."""
    global _latest
    if _latest is None or monotonic() - _latest[0] > GOOD_FOR_SECONDS:
        _latest = (monotonic(), _look())
    return _latest[1]


def forget() -> None:
    """Look anew the next time."""
    global _latest
    _latest = None


def record_heartbeat() -> None:
    """A worker did what beat asked for: so clock, broker, worker and cache all work. Raises RedisError."""
    cache.set(HEARTBEAT_KEY, 1, timeout=HEARTBEAT_LIFE_SECONDS)


def record_clock() -> None:
    """The clock goes. Raises RedisError."""
    cache.set(CLOCK_KEY, 1, timeout=HEARTBEAT_LIFE_SECONDS)


def _look() -> Readiness:
    database, migrated, oldest = _database()
    cache_answers, beat, worker = _heartbeats()
    return Readiness(
        database=database,
        migrated=migrated,
        broker=_broker_answers(),
        cache=cache_answers,
        beat=beat,
        worker=worker,
        queue=None if oldest is None else oldest <= settings.MEETING_OLDEST_DUE_SECONDS,
        oldest_due_seconds=None if oldest is None else round(oldest, 1),
    )


def _database() -> tuple[bool, bool | None, float | None]:
    """Whether it answers, whether it has every table that this code wants, and how old the oldest due row is."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        is_migrated = _is_migrated()
        # What is not there yet cannot be asked for.
        return True, is_migrated, oldest_due_seconds() if is_migrated else None
    except Error:
        return False, None, None


def _is_migrated() -> bool:
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return False
    return set(_newest_migrations()) <= set(recorder.migration_qs.values_list("app", "name"))


@once
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app, as this process was started with. Read from files, so once."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True


def _heartbeats() -> tuple[bool, bool | None, bool | None]:
    """Whether the cache answers, whether the clock goes, whether workers do what it asks for.

    Where the clock stands nobody asks a worker for its heartbeat: it may be as well as ever.
    """
    try:
        found = cache.get_many([CLOCK_KEY, HEARTBEAT_KEY])
    except RedisError:
        return False, None, None
    beat, worker = CLOCK_KEY in found, HEARTBEAT_KEY in found
    return True, beat, worker if worker or beat else None

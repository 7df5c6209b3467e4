"""Liveness (/healthz) and readiness (/readyz).

Both are public. A response says nothing else, and a moment's result is reused.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache as cached
from time import monotonic

from celery import current_app
from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from integrations.monitoring.backlog import oldest_due_seconds

HEARTBEAT_KEY = "worker-heartbeat"
BEAT_KEY = "beat-heartbeat"
# Longer than a task may take, so that a busy worker does not count as dead.
HEARTBEAT_LIFE_SECONDS = 120
# Longest wait of a due meeting for a worker while the queue counts as healthy.
OLDEST_DUE_LIMIT_SECONDS = 300
# How long a result of /readyz is reused, so that a flood of requests costs nothing.
MAX_AGE_SECONDS = 2.0


@dataclass(frozen=True)
class Readiness:
    """Which parts work. None: unknown, because a part that it depends on is down."""

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
    """Return 200 without using any other part."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """Return 200 if the database answers, otherwise 503. The other parts don't matter for booking."""
    found = readiness()
    return JsonResponse(asdict(found), status=200 if found.database else 503)


def readiness() -> Readiness:
    """Return the readiness, at most `MAX_AGE_SECONDS` old."""
    global _latest
    if _latest is None or monotonic() - _latest[0] > MAX_AGE_SECONDS:
        _latest = (monotonic(), _check_parts())
    return _latest[1]


def reset() -> None:
    """Forget the last result (for tests)."""
    global _latest
    _latest = None


def record_worker_heartbeat() -> None:
    """Note that a worker ran beat's task: beat, broker, worker and cache work. Raises RedisError."""
    cache.set(HEARTBEAT_KEY, 1, timeout=HEARTBEAT_LIFE_SECONDS)


def record_beat_heartbeat() -> None:
    """Note that beat runs. Raises RedisError."""
    cache.set(BEAT_KEY, 1, timeout=HEARTBEAT_LIFE_SECONDS)


def _check_parts() -> Readiness:
    database, migrated, oldest = _check_database()
    cache_answers, beat, worker = _check_heartbeats()
    return Readiness(
        database=database,
        migrated=migrated,
        broker=_broker_answers(),
        cache=cache_answers,
        beat=beat,
        worker=worker,
        queue=None if oldest is None else oldest <= OLDEST_DUE_LIMIT_SECONDS,
        oldest_due_seconds=None if oldest is None else round(oldest, 1),
    )


def _check_database() -> tuple[bool, bool | None, float | None]:
    """Return whether the database answers, whether it is migrated, and how long the oldest due meeting has waited."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        is_migrated = _is_migrated()
        return True, is_migrated, oldest_due_seconds() if is_migrated else None
    except Error:
        return False, None, None


def _is_migrated() -> bool:
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return False
    return set(_newest_migrations()) <= set(recorder.migration_qs.values_list("app", "name"))


@cached
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """Return the last migration of each app. Cached, because it reads files."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True


def _check_heartbeats() -> tuple[bool, bool | None, bool | None]:
    """Return whether the cache answers, beat runs, and a worker runs.

    If beat is down, workers get no heartbeat task, so their state is unknown.
    """
    try:
        found = cache.get_many([BEAT_KEY, HEARTBEAT_KEY])
    except RedisError:
        return False, None, None
    beat, worker = BEAT_KEY in found, HEARTBEAT_KEY in found
    return True, beat, worker if worker or beat else None

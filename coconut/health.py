"""Is the process alive, and can the installation do its work?"""

from __future__ import annotations

from celery import current_app
from django.core.cache import cache
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

HEARTBEAT_KEY = "worker-heartbeat"
# Longer than a task may take, so that a worker with its hands full is not called dead.
HEARTBEAT_LIFE_SECONDS = 120


def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else 503.

    Broker, cache and worker are only reported: people still book without them, and links follow later.
    """
    cache_answers, worker_answers = _cache_and_worker()
    checks = {
        "database": _database_answers(),
        "broker": _broker_answers(),
        "cache": cache_answers,
        "worker": worker_answers,
    }
    return JsonResponse(checks, status=200 if checks["database"] else 503)


def record_heartbeat() -> None:
    """A worker did what beat asked for: so clock, broker, worker and cache all work. Raises RedisError."""
    cache.set(HEARTBEAT_KEY, 1, timeout=HEARTBEAT_LIFE_SECONDS)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True


def _cache_and_worker() -> tuple[bool, bool]:
    try:
        return True, cache.get(HEARTBEAT_KEY) is not None
    except RedisError:
        return False, False

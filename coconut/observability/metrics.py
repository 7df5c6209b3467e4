"""Page /metrics: Prometheus metrics for requests with METRICS_TOKEN.

Gauges are read from the database on each scrape, so every web process returns the same. Events are counted by the
program in which they happen (`prometheus`). A worker serves its own counters (`worker_metrics`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from coconut.observability import health, prometheus
from integrations.monitoring import backlog
from staff.outbox import count_waiting


def show(request: HttpRequest) -> HttpResponse:
    """Return the metrics. 404 if METRICS_TOKEN is not set, 401 without the token."""
    refusal = prometheus.refusal_status(request.headers.get("Authorization", ""))
    if refusal:
        return HttpResponse(status=refusal, headers={"WWW-Authenticate": "Bearer"} if refusal == 401 else None)
    encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encoder(prometheus.registry(GaugeCollector())), content_type=content_type)


class GaugeCollector(Collector):
    """State of the installation and its pending work."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _part_states()
        try:
            found = [*_meetings(), *_connections(), *_rematches(), *_emails()]
        except Error:
            # `coconut_up` reports it. The counters are still useful.
            return
        yield from found


def _part_states() -> Iterator[GaugeMetricFamily]:
    ready = health.readiness()
    parts = {
        "database": ready.database,
        "migrated": ready.migrated,
        "broker": ready.broker,
        "cache": ready.cache,
        "beat": ready.beat,
        "worker": ready.worker,
    }
    known = {part: int(answer) for part, answer in parts.items() if answer is not None}
    yield _labelled("coconut_up", "Whether a part of the installation works.", "part", known)


def _meetings() -> Iterator[GaugeMetricFamily]:
    found = backlog.backlog()
    yield _number("coconut_meetings_due", "Meetings that a worker could sync now.", found.due)
    yield _number(
        "coconut_meetings_oldest_due_seconds",
        "Seconds that the oldest due meeting has waited.",
        found.oldest_due_seconds,
    )
    yield _number(
        "coconut_meetings_blocked",
        "Due meetings that are leased, or whose connection is paused or cannot work.",
        found.blocked,
    )
    yield _number("coconut_meetings_later", "Meetings that wait for their next attempt.", found.later)
    yield _labelled(
        "coconut_meetings_failed",
        "Meetings that have not ended and are not retried, by kind of error.",
        "kind",
        {**dict.fromkeys(("person", "ended", "bug", "gone"), 0), **found.failed},
    )
    yield _number(
        "coconut_meetings_soon_without_link",
        "Video appointments that start within an hour and have no link.",
        found.soon_without_link,
    )


def _connections() -> Iterator[GaugeMetricFamily]:
    statuses = dict.fromkeys(("connected", "needs_reauthorization", "disconnected"), 0)
    yield _labelled(
        "coconut_connections",
        "Connections by status.",
        "status",
        {**statuses, **backlog.connections_by_status()},
    )
    yield _labelled(
        "coconut_connections_hindered",
        "Connections that cannot work now although their sign-in is valid.",
        "reason",
        {**dict.fromkeys(("paused", "down", "outage", "operator"), 0), **backlog.blocked_connections()},
    )


def _rematches() -> Iterator[GaugeMetricFamily]:
    found = backlog.rematch_progress()
    yield _number("coconut_rematches_running", "Running rematches.", found.running)
    yield _number("coconut_rematch_people_left", "Staff members that they have not looked up yet.", found.people_left)
    yield _number(
        "coconut_rematch_people_per_second",
        "Staff members that they look up per second.",
        found.people_a_second,
    )


def _emails() -> Iterator[GaugeMetricFamily]:
    number, oldest = count_waiting()
    yield _number("coconut_emails_waiting", "Emails that wait to be sent.", number)
    yield _number("coconut_emails_oldest_waiting_seconds", "Seconds that the oldest waiting email has waited.", oldest)


def _number(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for name_of_value, number in values.items():
        family.add_metric([name_of_value], number)
    return family

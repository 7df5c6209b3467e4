"""The numbers of an installation at /metrics, in Prometheus' format, for whoever has METRICS_TOKEN.

What waits is read from the database whenever somebody asks, so every web process says the same. What happens is counted
by the process in which it happens (`coconut.prometheus`); a worker tells its own (`coconut.worker_metrics`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from coconut import health, prometheus
from integrations.monitoring import backlog
from staff.outbox import count_waiting


def show(request: HttpRequest) -> HttpResponse:
    """The numbers; 404 where METRICS_TOKEN is not set, 401 for whoever does not have it."""
    refusal = prometheus.refusal_status(request.headers.get("Authorization", ""))
    if refusal:
        return HttpResponse(
            status=refusal, headers={"WWW-Authenticate": "Bearer"} if refusal == 401 else None
        )
    encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encoder(prometheus.registry(Waiting())), content_type=content_type)


class Waiting(Collector):
    """What waits, and how the parts of the installation are."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _parts()
        try:
            found = [*_meetings(), *_connections(), *_rematches(), *_emails()]
        except Error:
            # `coconut_up` says so; what was counted is still worth reading.
            return
        yield from found


def _parts() -> Iterator[GaugeMetricFamily]:
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
    yield _labelled("coconut_up", "Whether a part of the installation does its work.", "part", known)


def _meetings() -> Iterator[GaugeMetricFamily]:
    found = backlog.backlog()
    yield _number("coconut_meetings_due", "Meetings that a worker could take up now.", found.due)
    yield _number(
        "coconut_meetings_oldest_due_seconds",
        "For how long the oldest of them could have been taken up.",
        found.oldest_due_seconds,
    )
    yield _number(
        "coconut_meetings_blocked",
        "Meetings that are due and held by a worker, a pause or a connection that cannot work.",
        found.blocked,
    )
    yield _number("coconut_meetings_later", "Meetings that wait for the next try.", found.later)
    yield _labelled(
        "coconut_meetings_failed",
        "Meetings that are not over and that nobody works on any more, by the kind of error.",
        "kind",
        {**dict.fromkeys(("person", "ended", "bug", "gone"), 0), **found.failed},
    )
    yield _number(
        "coconut_meetings_soon_without_link",
        "Video appointments that begin within the hour and have no link.",
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
        "Connections that cannot work now although nothing is wrong with their sign-in.",
        "reason",
        {**dict.fromkeys(("paused", "down", "outage", "operator"), 0), **backlog.blocked_connections()},
    )


def _rematches() -> Iterator[GaugeMetricFamily]:
    found = backlog.rematch_progress()
    yield _number("coconut_rematches_running", "Rematches under way.", found.running)
    yield _number("coconut_rematch_people_left", "People whom they have still to ask for.", found.people_left)
    yield _number(
        "coconut_rematch_people_per_second", "How many people a second they ask for.", found.people_a_second
    )


def _emails() -> Iterator[GaugeMetricFamily]:
    number, oldest = count_waiting()
    yield _number("coconut_mails_waiting", "Emails that wait to be sent.", number)
    yield _number(
        "coconut_mails_oldest_waiting_seconds", "For how long the oldest of them has waited.", oldest
    )


def _number(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for name_of_value, number in values.items():
        family.add_metric([name_of_value], number)
    return family

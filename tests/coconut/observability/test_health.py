"""/healthz and /readyz."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from coconut.beat import Scheduler
from coconut.observability import health
from coconut.tasks import heartbeat
from tests.integrations.meeting_steps import ask, make_hosting

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
WELL = {
    "database": True,
    "migrated": True,
    "broker": True,
    "cache": True,
    "beat": True,
    "worker": True,
    "queue": True,
    "oldest_due_seconds": 0.0,
}


@pytest.fixture(autouse=True)
def no_heartbeat_yet(servers: None) -> None:
    cache.delete_many([health.HEARTBEAT_KEY, health.BEAT_KEY])
    health.reset()


def test_liveness_does_not_query_the_database(client: Browser) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_probes_may_use_an_ip_address_and_http(client: Browser, settings: Settings, probe: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get(probe, headers={"Host": "10.1.2.3:8000"})

    assert answer.status_code == 200


@pytest.mark.django_db
def test_an_installation_is_ready_if_every_part_answers(client: Browser) -> None:
    health.record_beat_heartbeat()
    heartbeat()

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == WELL


@pytest.mark.django_db
def test_a_missing_worker_is_reported_and_does_not_stop_booking(client: Browser) -> None:
    health.record_beat_heartbeat()

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {**WELL, "worker": False}


@pytest.mark.django_db
def test_while_beat_is_down_the_state_of_the_workers_is_unknown(client: Browser) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {**WELL, "beat": False, "worker": None}


@pytest.mark.django_db
def test_without_a_broker_booking_still_works(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", NOBODY_LISTENS)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["broker"]) == (200, False)


@pytest.mark.django_db
def test_without_a_cache_booking_still_works(client: Browser, settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY_LISTENS}}

    answer = client.get("/readyz")

    parts = answer.json()
    assert (answer.status_code, parts["cache"], parts["beat"], parts["worker"]) == (200, False, None, None)


@pytest.mark.django_db
def test_without_a_database_nothing_works(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = connections["default"].copy()
    elsewhere.settings_dict = {**elsewhere.settings_dict, "HOST": "127.0.0.1", "PORT": 1}
    monkeypatch.setattr(health, "connection", elsewhere)

    answer = client.get("/readyz")

    parts = answer.json()
    assert answer.status_code == 503
    assert (parts["database"], parts["migrated"], parts["queue"]) == (False, None, None)


@pytest.mark.django_db
def test_a_database_without_the_newest_tables_is_reported(client: Browser) -> None:
    migrations = MigrationRecorder(connections["default"]).migration_qs.filter(app="appointments")
    migrations.order_by("-name")[0].delete()

    answer = client.get("/readyz")

    parts = answer.json()
    assert (answer.status_code, parts["migrated"], parts["oldest_due_seconds"]) == (200, False, None)


@pytest.mark.parametrize(("limit", "is_soon_enough"), [(50, False), (70, True)])
@pytest.mark.django_db
def test_a_meeting_that_waits_too_long_for_a_worker_is_reported(
    client: Browser, monkeypatch: pytest.MonkeyPatch, limit: int, is_soon_enough: bool
) -> None:
    monkeypatch.setattr(health, "OLDEST_DUE_LIMIT_SECONDS", limit)
    meeting = ask(make_hosting())
    meeting.due_at = timezone.now() - timedelta(minutes=1)
    meeting.save()

    answer = client.get("/readyz")

    parts = answer.json()
    assert (answer.status_code, parts["queue"]) == (200, is_soon_enough)
    assert parts["oldest_due_seconds"] == pytest.approx(60, abs=5)


@pytest.mark.django_db
def test_repeated_requests_reuse_the_result(client: Browser, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first = client.get("/readyz").json()

    with django_assert_num_queries(0):
        again = client.get("/readyz").json()

    assert again == first


def test_beat_sends_a_heartbeat_and_continues_without_a_cache(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    Scheduler(current_app, schedule_filename="/nowhere", lazy=True).send_heartbeat()
    said = cache.get(health.BEAT_KEY)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY_LISTENS}}
    with caplog.at_level(logging.WARNING):
        Scheduler(current_app, schedule_filename="/nowhere", lazy=True).send_heartbeat()

    assert said == 1
    assert [record.name for record in caplog.records] == ["coconut.beat"]


def test_beat_schedules_several_heartbeats_within_their_lifetime(settings: Settings) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["heartbeat"]

    assert entry["task"] == heartbeat.name
    assert entry["schedule"] * 3 <= health.HEARTBEAT_LIFE_SECONDS

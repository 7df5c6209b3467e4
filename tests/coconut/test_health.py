"""/healthz and /readyz."""

from __future__ import annotations

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connections
from django.test import Client as Browser
from pytest_django import Settings

from coconut import health
from coconut.tasks import heartbeat

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def no_heartbeat_yet() -> None:
    cache.delete(health.HEARTBEAT_KEY)


def test_a_living_process_says_so_without_asking_the_database(client: Browser) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_an_installation_is_ready_when_everything_answers(client: Browser) -> None:
    heartbeat()

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"database": True, "broker": True, "cache": True, "worker": True}


@pytest.mark.django_db
def test_a_worker_that_is_not_heard_of_is_reported_and_stops_nobody(client: Browser) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"database": True, "broker": True, "cache": True, "worker": False}


@pytest.mark.django_db
def test_without_a_broker_people_still_book(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", NOBODY_LISTENS)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["broker"]) == (200, False)


@pytest.mark.django_db
def test_without_a_cache_people_still_book(client: Browser, settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY_LISTENS}}

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["cache"], answer.json()["worker"]) == (200, False, False)


@pytest.mark.django_db
def test_without_a_database_nothing_works(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = connections["default"].copy()
    elsewhere.settings_dict = {**elsewhere.settings_dict, "HOST": "127.0.0.1", "PORT": 1}
    monkeypatch.setattr(health, "connection", elsewhere)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["database"]) == (503, False)


def test_beat_asks_for_the_heartbeat_several_times_in_its_life(settings: Settings) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["heartbeat"]

    assert entry["task"] == heartbeat.name
    assert entry["schedule"] * 3 <= health.HEARTBEAT_LIFE_SECONDS

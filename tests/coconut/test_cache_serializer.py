"""Values in the cache are JSON, and a foreign value breaks no page."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.core.cache import cache
from django.test import Client as Browser
from redis import Redis

from coconut.observability import health
from coconut.rate_limits import Limit
from tests.factories import PASSWORD, make_member, make_organization

REDIS = Redis.from_url(real_settings.CACHES["default"]["LOCATION"])
FOREIGN = [b"\xff\xfe", b"{", b"[" * 100_000, pickle.dumps("a pickle")]
EXECUTED: list[str] = []


def run_attack() -> None:
    EXECUTED.append("the attack")


class Attack:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return run_attack, ()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    health.reset()
    yield
    cache.clear()
    health.reset()


def store(key: str, value: bytes) -> None:
    """Write a value into Redis, as another program would."""
    REDIS.set(cache.make_key(key), value)


@pytest.mark.parametrize("value", [0, 1, -7, True, False, "text", None, [1, "a"], {"a": 1.5}])
def test_a_value_comes_back_as_it_was_stored(value: Any) -> None:
    cache.set("key", value)

    found = cache.get("key", "missing")

    assert (found, type(found)) == (value, type(value))


def test_counters_are_numbers_for_redis() -> None:
    cache.set("key", 41)

    assert cache.incr("key") == 42
    assert cache.get("key") == 42


def test_redis_holds_no_pickle() -> None:
    cache.set("key", True)

    assert REDIS.get(cache.make_key("key")) == b"true"


@pytest.mark.parametrize("value", FOREIGN)
def test_a_foreign_value_counts_as_missing(value: bytes) -> None:
    store("key", value)

    assert cache.get("key") is None


@pytest.mark.django_db
def test_a_foreign_pickle_is_not_executed_and_readiness_answers() -> None:
    for key in (health.HEARTBEAT_KEY, health.BEAT_KEY):
        store(key, pickle.dumps(Attack()))

    response = Browser().get("/readyz")

    assert response.status_code == 200
    assert EXECUTED == []


@pytest.mark.django_db
@pytest.mark.parametrize("value", FOREIGN)
def test_a_foreign_counter_does_not_stop_sign_in(value: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member(make_organization(), "Ada Lovell")
    member.set_password(PASSWORD)
    member.save()
    monkeypatch.setattr(Limit, "_cache_key", lambda limit, key: "counter")
    store("counter", value)

    response = Browser().post("/sign-in/", {"username": member.email, "password": PASSWORD})

    assert response.status_code == 302

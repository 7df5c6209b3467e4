"""Rate limits, counted in the cache."""

from __future__ import annotations

import socket
from time import monotonic

from django.core.cache import cache

from coconut.rate_limits import Limit, is_within

LIMIT = Limit("test", times=1, seconds=3600)

FEW = Limit("test-few", times=1, seconds=3600)
MANY = Limit("test-many", times=2, seconds=3600)


def test_an_attempt_that_one_limit_refuses_does_not_count_for_the_others():
    cache.clear()
    assert is_within((MANY, "office"), (FEW, "ada"))

    refused = [is_within((MANY, "office"), (FEW, "ada")) for _attempt in range(3)]

    assert refused == [False] * 3
    assert [is_within((MANY, "office"), (FEW, name)) for name in ("sam", "sky")] == [True, False]


def test_a_cache_that_hangs_delays_a_request_only_briefly(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": address}}
        began = monotonic()

        let_in = is_within((LIMIT, "ada"), (LIMIT, "ada"))

    assert let_in
    assert monotonic() - began < 2

"""Rate limits, counted in the cache."""

from __future__ import annotations

import socket
from time import monotonic

from coconut.rate_limits import Limit, is_within

LIMIT = Limit("test", times=1, seconds=3600)


def test_a_cache_that_hangs_delays_a_request_only_briefly(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": address}}
        began = monotonic()

        let_in = is_within((LIMIT, "ada"), (LIMIT, "ada"))

    assert let_in
    assert monotonic() - began < 2

"""Prometheus metrics of the requests to Microsoft."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Final

from prometheus_client import Counter, Histogram

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError

_METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
_ANSWERS_KEY: Final = ("2xx", "3xx", "4xx", "429", "5xx", "none")
_RENEWALS: Final = ("renewed", "refused", "unavailable")

_requests = Counter(
    "coconut_graph_requests",
    "Requests to Microsoft Graph by their answer; none: no answer came.",
    ["method", "answer"],
)
_seconds = Histogram(
    "coconut_graph_request_seconds",
    "How long Microsoft Graph took to answer.",
    ["method"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 15),
)
_throttled = Counter(
    "coconut_graph_throttled",
    "Questions that Microsoft Graph answered with 429, those inside a batch included.",
)
_renewals = Counter(
    "coconut_token_renewals", "Access tokens that Microsoft was asked for, by what came of it.", ["outcome"]
)
# Initialise to 0 so that rate() works before the first event.
for _method, _answer in product(_METHODS, _ANSWERS_KEY):
    _requests.labels(_method, _answer)
for _method in _METHODS:
    _seconds.labels(_method)
for _item_result in _RENEWALS:
    _renewals.labels(_item_result)


def count_response(method: str, status: int, seconds: float) -> None:
    """Count a response of Graph. `seconds` is its duration."""
    _requests.labels(method, "429" if status == 429 else f"{status // 100}xx").inc()
    _seconds.labels(method).observe(seconds)


def count_no_response(method: str) -> None:
    """Count a request without a response."""
    _requests.labels(method, "none").inc()


def count_throttled(how_many: int) -> None:
    """Count responses with status 429, items of a batch included."""
    _throttled.inc(how_many)


@contextmanager
def count_token_request() -> Iterator[None]:
    """Count the token request in this block as renewed, refused or unavailable."""
    outcome = "unavailable"
    try:
        yield
        outcome = "renewed"
    except PlatformError as problem:
        if problem.kind in (ErrorKind.CONNECTION, ErrorKind.OPERATOR):
            outcome = "refused"
        raise
    finally:
        _renewals.labels(outcome).inc()

"""A failed row of a loop stops nothing; a failed system stops the loop."""

from __future__ import annotations

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as CacheError
from redis.exceptions import TimeoutError as CacheTimeout

from coconut.isolation import isolated


def run(rows: list[BaseException | None]) -> int:
    """Return the number of rows that were begun."""
    begun = 0
    for row in rows:
        with isolated("A row"):
            begun += 1
            if row is not None:
                raise row
    return begun


def test_a_row_that_fails_is_logged_and_the_next_ones_follow(caplog: pytest.LogCaptureFixture) -> None:
    assert run([ValueError("poison"), None, KeyError("x"), None]) == 4
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError(),
        InterfaceError(),
        BrokerError(),
        CacheError(),
        CacheTimeout(),
        SoftTimeLimitExceeded(),
        SystemExit(),
        KeyboardInterrupt(),
    ],
)
def test_a_lost_server_a_time_limit_and_a_shutdown_stop_the_loop(failure: BaseException) -> None:
    with pytest.raises(type(failure)):
        run([failure, None])


@pytest.mark.parametrize("sqlstate", ["40P01", "55P03", "57014"])
def test_a_deadlock_and_a_lock_timeout_concern_one_row(sqlstate: str) -> None:
    class Refused(Exception):
        pgcode = sqlstate

    failure = OperationalError()
    failure.__cause__ = Refused()

    assert run([failure, None]) == 2

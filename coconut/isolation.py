"""Isolation of rows: an error in one row of a loop must not stop the rows after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as CacheError
from redis.exceptions import TimeoutError as CacheTimeout

logger = logging.getLogger(__name__)

#: Failures of the system instead of a row. They stop the loop. SystemExit, of a shutdown, isn't an Exception.
SYSTEM_FAILURES = (OperationalError, InterfaceError, BrokerError, CacheError, CacheTimeout, SoftTimeLimitExceeded)
#: SQLSTATEs of an OperationalError that concerns one row: deadlock, lock not available, statement cancelled
#: (postgresql.org/docs/current/errcodes-appendix.html).
_ROW_STATES = frozenset({"40P01", "55P03", "57014"})


@contextmanager
def isolated(row: str) -> Iterator[None]:
    """Log an error of one row and go on. `row` says which one, such as "Connection 7".

    A lost database, cache or broker and the time limit of the task are raised, because the next row would fail too.
    """
    try:
        yield
    except SYSTEM_FAILURES as error:
        if getattr(error.__cause__, "pgcode", None) not in _ROW_STATES:
            raise
        logger.exception("%s failed. The next rows follow.", row)
    except Exception:
        logger.exception("%s failed. The next rows follow.", row)

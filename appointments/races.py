"""Transactions that may lose a race to another one, and what is made of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from appointments.checks import TimeWish, taken
from appointments.models import Appointment
from appointments.refusals import TimeTaken

# PostgreSQL's words for having lost: the time (exclusion), the request key (unique), a deadlock.
_TIME: Final = "23P01"
_KEY: Final = "23505"
_DEADLOCK: Final = "40P01"


def settle(attempt: Callable[[], Appointment], wish: TimeWish) -> Appointment:
    """Run `attempt` in a transaction, once more when it lost a race; a time that is gone becomes TimeTaken.

    The second look sees what the winner wrote: its appointment, or the one of the same request key.
    """
    try:
        return _look_again_once(attempt)
    except TimeTaken:
        pass
    except (IntegrityError, OperationalError) as error:
        if _sqlstate(error) not in (_TIME, _DEADLOCK):
            raise
    raise taken(wish)


def _look_again_once(attempt: Callable[[], Appointment]) -> Appointment:
    # Caught outside the atomic block: inside, the transaction is lost already.
    try:
        with transaction.atomic():
            return attempt()
    except (IntegrityError, OperationalError) as error:
        if _sqlstate(error) not in (_TIME, _KEY, _DEADLOCK):
            raise
    with transaction.atomic():
        return attempt()


def is_time_taken(error: DatabaseError) -> bool:
    """Whether PostgreSQL refused because somebody else has the time."""
    return _sqlstate(error) == _TIME


def _sqlstate(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)

"""Transactions that may lose a race to another one, and what is made of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import TimeTaken
from appointments.booking_rules.validation import SlotRequest, taken
from appointments.models import Appointment

# PostgreSQL's words for having lost: the time (exclusion), a deadlock.
_TIME: Final = "23P01"
_DEADLOCK: Final = "40P01"


def settle(attempt: Callable[[], Appointment], wish: SlotRequest) -> Appointment:
    """`win`, or TimeTaken with the next free times."""
    try:
        return run_with_retry(attempt)
    except TimeTaken:
        pass
    raise taken(wish)


def run_with_retry(attempt: Callable[[], Appointment]) -> Appointment:
    """Run `attempt` in a transaction, once more when it lost a race: the second look sees what the winner wrote.

    Raises TimeTaken, without the next free times, where the time is gone.
    """
    try:
        return _look_again_once(attempt)
    except (IntegrityError, OperationalError) as error:
        if _sqlstate(error) not in (_TIME, _DEADLOCK):
            raise
    raise TimeTaken(_("That time was just taken."))


def _look_again_once(attempt: Callable[[], Appointment]) -> Appointment:
    # Caught outside the atomic block: inside, the transaction is lost already.
    try:
        with transaction.atomic():
            return attempt()
    except (IntegrityError, OperationalError) as error:
        if _sqlstate(error) not in (_TIME, _DEADLOCK):
            raise
    with transaction.atomic():
        return attempt()


def is_time_taken(error: DatabaseError) -> bool:
    """Whether PostgreSQL refused because somebody else has the time."""
    return _sqlstate(error) == _TIME


def _sqlstate(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)

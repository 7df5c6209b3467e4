"""Transactions that may lose a race to another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import TimeTaken
from appointments.models import Appointment

_EXCLUSION_VIOLATION: Final = "23P01"
_DEADLOCK: Final = "40P01"


def run_with_retry(attempt: Callable[[], Appointment]) -> Appointment:
    """Run `attempt` in a transaction, and once more if it lost a race: the retry sees what the winner wrote.

    Raises TimeTaken, without the next free times, if it loses again.
    """
    try:
        return _run_up_to_twice(attempt)
    except (IntegrityError, OperationalError) as error:
        if not _has_lost_race(error):
            raise
    raise TimeTaken(_("That time was just taken."))


def _run_up_to_twice(attempt: Callable[[], Appointment]) -> Appointment:
    # The error is caught outside the atomic block: inside, the transaction is already broken.
    try:
        with transaction.atomic():
            return attempt()
    except (IntegrityError, OperationalError) as error:
        if not _has_lost_race(error):
            raise
    with transaction.atomic():
        return attempt()


def is_time_taken(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refused the write because another appointment has the time."""
    return _sqlstate(error) == _EXCLUSION_VIOLATION


def _has_lost_race(error: DatabaseError) -> bool:
    return _sqlstate(error) in (_EXCLUSION_VIOLATION, _DEADLOCK)


def _sqlstate(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)

"""Measure the lists of appointments that a change would leave without a place, at a bank with 500,000 appointments.

One location has 50,000 upcoming appointments. Exits with 1 if a budget is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support import bank as banks
from bench.support.budgets import Budgets
from bench.support.installation import installation
from tests.stack import Stack

UPCOMING = 50_000
HISTORY = 450_000
RUNS = 15
BUDGET_MS = 100


def main() -> None:
    """Measure in one installation, on its database only."""
    with installation() as (stack, _servers):
        for program in ("web", "worker", "beat", "simulator"):
            stack.stop(program)
        budgets = Budgets()
        measure(create_bank(stack), budgets)
    budgets.exit()


def create_bank(stack: Stack) -> banks.Bank:
    """Create a bank whose location has UPCOMING appointments ahead."""
    from django.db import connection

    today = datetime.now(UTC).date()
    with connection.cursor() as cursor:
        bank = banks.create_bank(cursor, today)
        # Days for as many appointments of each person, the margin of `add_history` and today's past hours left out.
        bank.add_history(cursor, UPCOMING, before=today + timedelta(days=36))
        bank.add_history(cursor, HISTORY, before=today)
    stack.sql("VACUUM ANALYZE")
    return bank


def measure(bank: banks.Bank, budgets: Budgets) -> None:
    """Print the milliseconds of each list, and judge those of the closings."""
    from appointments.attention.affected import find_affected
    from appointments.attention.conditions import load_with_cause, needing_attention
    from appointments.models import Appointment
    from staff.closings.overrides import OverrideValues, add_closings, remove_closing
    from staff.models import Location, Organization, StaffMember
    from staff.planned_changes import Cause, PlannedChange

    harbour = Organization.objects.get(pk=bank.organization)
    now = datetime.now(UTC)
    print(
        f"{Appointment.objects.filter(location=bank.locations[0], starts_at__gt=now).count():,} upcoming appointments"
    )

    def closing(days: int) -> Callable[[], object]:
        change = PlannedChange(
            harbour,
            Cause.LOCATION_CLOSED,
            location=bank.locations[0],
            starts_at=now,
            ends_at=now + timedelta(days=days),
        )
        return lambda: find_affected(change)

    def saved() -> None:
        day = now.date() + timedelta(days=7)
        location = Location.objects.get(pk=bank.locations[0])
        for override in add_closings([location], OverrideValues(first_day=day, last_day=day)):
            remove_closing(override)

    budgets.judge("closed for a day, ms", milliseconds(closing(1)), at_most=BUDGET_MS)
    budgets.judge("saving a closing of a day, ms", milliseconds(saved), at_most=1000)
    budgets.judge("closed for a year, ms", milliseconds(closing(365)), at_most=BUDGET_MS)

    def listed() -> object:
        found = needing_attention(harbour)
        return found.count(), load_with_cause(found[:25])

    print(f"  nothing needs attention: {milliseconds(listed):.0f} ms")
    StaffMember.objects.filter(pk__in=bank.people[:20]).update(is_active=False)
    print(f"  20 people left: {milliseconds(listed):.0f} ms")


def milliseconds(read: Callable[[], object]) -> float:
    """Return the median duration of some runs after a first one."""
    read()
    durations = []
    for _ in range(RUNS):
        started_at = perf_counter()
        read()
        durations.append((perf_counter() - started_at) * 1000)
    return median(durations)


if __name__ == "__main__":
    main()

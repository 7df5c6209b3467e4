"""Opening hours in a line."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from staff.clock import override_clock
from staff.hours import TimeRange
from staff.locations.opening_hours import today_texts, week_text
from staff.locations.week import replace_opening_week
from staff.models import Clock, DateOverride, HolidayCalendar, Organization, OverrideHours
from tests.factories import make_location

OFFICE = [TimeRange(day, time(9), time(17)) for day in range(5)]
SATURDAY = TimeRange(5, time(9, 30), time(12))


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ([], ""),
        (OFFICE, "Mon–Fri 09:00–17:00"),
        ([*OFFICE, SATURDAY], "Mon–Fri 09:00–17:00; Sat 09:30–12:00"),
        ([OFFICE[0], OFFICE[1], OFFICE[3]], "Mon–Tue 09:00–17:00; Thu 09:00–17:00"),
        (
            [TimeRange(0, time(13), time(17)), TimeRange(0, time(9), time(12)), SATURDAY],
            "Mon 09:00–12:00, 13:00–17:00; Sat 09:30–12:00",
        ),
    ],
)
def test_days_with_the_same_hours_are_written_once(hours: list[TimeRange], text: str) -> None:
    assert week_text(hours) == text


def test_the_week_begins_on_the_first_day_of_the_organisation() -> None:
    every_day = [TimeRange(day, time(9), time(17)) for day in (0, 6)]

    assert week_text(every_day, first_weekday=6) == "Sun–Mon 09:00–17:00"


def test_hours_follow_the_clock_of_the_organisation() -> None:
    with override_clock(Clock.HOURS_12):
        assert week_text(OFFICE) == "Mon–Fri 9:00 AM–5:00 PM"


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2026, 11, 30, 18, tzinfo=UTC), "Today 09:00–17:00"),  # a Monday in Vancouver
        (datetime(2026, 11, 30, 5, tzinfo=UTC), "Closed today"),  # still Sunday there
    ],
)
def test_today_is_the_day_at_the_location(maple: Organization, now: datetime, text: str) -> None:
    location = make_location(maple, time_zone=ZoneInfo("America/Vancouver"))
    replace_opening_week(location, OFFICE)

    assert today_texts([location], now) == {location.pk: text}


def test_a_location_without_hours_is_neither_open_nor_closed_today(maple: Organization) -> None:
    location = make_location(maple)

    assert today_texts([location], datetime(2026, 11, 30, tzinfo=UTC)) == {location.pk: ""}


def test_a_closing_replaces_the_hours_of_today(maple: Organization) -> None:
    """Monday has other hours, and is a holiday, too: the closing that an admin entered counts."""
    location = make_location(maple)
    replace_opening_week(location, OFFICE)
    HolidayCalendar.objects.create(location=location, country="GB", region="SCT")  # St Andrew's Day
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert today_texts([location], now) == {location.pk: "Closed today"}

    override = DateOverride.objects.create(location=location, first_day=now.date(), last_day=now.date())
    OverrideHours.objects.create(override=override, start=time(10), end=time(12))

    assert today_texts([location], now) == {location.pk: "Today 10:00–12:00"}

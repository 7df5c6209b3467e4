"""Month view: clock changes and months without free times."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from appointments.availability.month_view import month_with_times
from appointments.time_zones import clock_time
from staff.models import WorkingHours
from tests.appointments.conftest import Maple

TORONTO = ZoneInfo("America/Toronto")

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def night(maple: Maple) -> Maple:
    """Sam works on Sundays from one to half past three at night, in Toronto."""
    maple.sam.time_zone = TORONTO
    maple.sam.save()
    WorkingHours.objects.all().delete()
    WorkingHours.objects.create(staff=maple.sam, weekday=6, start=time(1), end=time(3, 30))
    maple.review.booking_horizon_days = 400
    maple.review.save()
    return maple


def starts(maple: Maple, day: date) -> list[str]:
    month = month_with_times(maple.review, [maple.sam], TORONTO, day=day)
    assert month.day == day
    return [clock_time(start.at.astimezone(TORONTO)) for start in month.starts]


def test_an_hour_that_occurs_twice_is_labelled_with_its_zone(night: Maple):
    found = starts(night, date(2027, 11, 7))

    assert found[:2] == ["01:00 EDT", "01:15 EDT"]
    assert found[4:6] == ["01:00 EST", "01:15 EST"]
    assert found[-1] == "03:00"


def test_an_hour_that_there_is_not_is_not_offered(night: Maple):
    assert starts(night, date(2027, 3, 14)) == ["01:00", "01:15", "01:30", "01:45", "03:00"]


def test_a_day_without_times_leads_to_the_first_one_of_its_month(night: Maple):
    month = month_with_times(night.review, [night.sam], TORONTO, day=date(2026, 12, 1))

    assert (month.day, month.before, month.after) == (
        date(2026, 12, 6),
        date(2026, 11, 1),
        date(2027, 1, 1),
    )


def test_weeks_that_are_over_are_left_off(night: Maple):
    month = month_with_times(night.review, [night.sam], TORONTO, day=date(2026, 11, 29))

    assert [week[0].date for week in month.weeks] == [date(2026, 11, 23), date(2026, 11, 30)]


def test_without_staff_at_work_there_are_no_free_times(maple: Maple):
    WorkingHours.objects.all().delete()

    month = month_with_times(maple.review, [maple.sam], TORONTO)

    assert (month.day, month.first_free, month.starts) == (None, None, [])

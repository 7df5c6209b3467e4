"""Closings of Maple's branches, and exceptions and future hours of its staff, after the weeks with appointments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from staff.hours import TimeRange, add_working_hours
from staff.models import DateOverride, HolidayCalendar, Location, OverrideHours, StaffMember

# Counted from this week's Monday. Appointments lie in the first two weeks.
_TRAINING_DAY: Final = 23
_DAY_OFF: Final = 22
_NEW_HOURS: Final = 28


def create_closings(locations: Mapping[str, Location], staff: Mapping[str, StaffMember], now: datetime) -> None:
    """Create the holidays of each branch's province, a closing, exceptions of two people and future hours of one."""
    HolidayCalendar.objects.bulk_create(
        HolidayCalendar(location=location, country="CA", region=location.region, switched_off=["Family Day"])
        for location in locations.values()
    )
    today = now.astimezone(staff["Sam Okafor"].zone).date()
    monday = today - timedelta(days=today.weekday())
    harbourfront, rosedale = locations["Harbourfront"], locations["Rosedale"]
    _create(monday, _TRAINING_DAY, location=harbourfront, label="Staff training")
    _create(monday, _TRAINING_DAY, (time(9), time(12)), location=rosedale, label="Staff training")
    _create(monday, _DAY_OFF, staff=staff["Ben Carter"], label="Moving house", all_methods=True)
    afternoon = (time(13), time(17))
    _create(monday, _TRAINING_DAY, afternoon, staff=staff["Chloe Dubois"], label="Calls from home", all_methods=True)
    # From then on, Sam works at another branch on Fridays.
    week = [TimeRange(weekday, time(9), time(17)) for weekday in range(4)]
    friday = TimeRange(4, time(9, 30), time(16), rosedale.pk)
    add_working_hours(staff["Sam Okafor"], [*week, friday], monday + timedelta(days=_NEW_HOURS))


def _create(monday: date, day: int, *hours: tuple[time, time], **fields: object) -> None:
    on = monday + timedelta(days=day)
    override = DateOverride.objects.create(first_day=on, last_day=on, **fields)
    OverrideHours.objects.bulk_create(OverrideHours(override=override, start=start, end=end) for start, end in hours)

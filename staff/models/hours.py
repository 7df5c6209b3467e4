"""When locations are open, and when staff members work."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from coconut.fields.one_line_text import OneLineField
from staff.models.organizations import Location
from staff.models.people import StaffMember
from staff.validators import one_line


class Weekday(models.IntegerChoices):
    """Days as Python's `date.weekday()` counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class TimeSpan(models.Model):
    """A part of a day in local time. An end that isn't after the start lies on the next day; 0:00 is midnight."""

    start = models.TimeField(_("from"))
    end = models.TimeField(_("to"))

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # From 0:00 to 0:00 is the whole day.
            models.CheckConstraint(condition=~Q(end=F("start")) | Q(start=time(0)), name="%(class)s_takes_time"),
        ]


class WeeklyHours(TimeSpan):
    """An interval of a weekday, in the owner's time zone. A day may have several rows.

    The rows of the latest `starts_on` up to a date hold on it, and replace those before. None starts first.
    """

    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    starts_on = models.DateField(_("from this day on"), null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["weekday", "start"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *TimeSpan.Meta.constraints,
            models.CheckConstraint(condition=Q(weekday__lte=6), name="%(class)s_weekday_exists"),
        ]


class LocationHours(WeeklyHours):
    """Opening hours of a location. A location without rows is always open."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="hours")


class WorkingHours(WeeklyHours):
    """Weekly hours in which a staff member takes appointments, in the staff member's time zone."""

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="working_hours")
    # None is the home branch.
    location = models.ForeignKey(Location, models.CASCADE, related_name="+", null=True, blank=True)


class TimeOffQuerySet(models.QuerySet["TimeOff"]):
    """Questions about time off."""

    def overlapping(self, start: datetime, end: datetime) -> Self:
        """Return the time off that overlaps [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class TimeOff(models.Model):
    """A period without appointments of a staff member."""

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="time_off")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    reason = OneLineField(_("reason"), max_length=200, blank=True, validators=[one_line])

    objects = TimeOffQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="time_off_end_after_start"),
            ExclusionConstraint(
                name="time_off_once_at_a_time",
                expressions=[
                    (
                        Func(
                            "starts_at",
                            "ends_at",
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("staff", RangeOperators.EQUAL),
                ],
                violation_error_message=_("This overlaps other time off."),
            ),
        ]

"""Exceptions to weekly hours: overrides of dates, and public holidays of locations."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from coconut.fields.one_line_text import OneLineField
from staff.models.hours import TimeSpan
from staff.models.organizations import Location
from staff.models.people import StaffMember
from staff.validators import one_line


class DateOverrideQuerySet(models.QuerySet["DateOverride"]):
    """Questions about overrides."""

    def overlapping(self, first_day: date, last_day: date) -> Self:
        """Return the overrides that cover at least one of these days."""
        return self.filter(first_day__lte=last_day, last_day__gte=first_day)


def _once_per_date(owner: str) -> ExclusionConstraint:
    days = Func(
        "first_day",
        "last_day",
        RangeBoundary(inclusive_upper=True),
        function="DATERANGE",
        output_field=DateRangeField(),
    )
    return ExclusionConstraint(
        name=f"one_override_per_date_of_{owner}",
        expressions=[(days, RangeOperators.OVERLAPS), (owner, RangeOperators.EQUAL)],
        violation_error_message=_("There is already an exception on one of these days."),
    )


class DateOverride(models.Model):
    """Other hours of a location or a staff member on some dates, in the owner's time zone. Closed without hours.

    On these dates it replaces weekly hours and holidays. `all_methods` is False if phone and video go on as usual.
    """

    location = models.ForeignKey(
        Location, models.CASCADE, related_name="overrides", null=True, blank=True, verbose_name=_("location")
    )
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="overrides", null=True, blank=True)
    # The location at which a staff member works these hours. None is the home branch.
    branch = models.ForeignKey(
        Location, models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("location")
    )
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    all_methods = models.BooleanField(_("also phone and video"), default=False, db_default=False)
    label = OneLineField(_("name"), max_length=100, blank=True, validators=[one_line])

    objects = DateOverrideQuerySet.as_manager()

    class Meta:
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(location__isnull=False, staff__isnull=True) | Q(location__isnull=True, staff__isnull=False),
                name="override_has_one_owner",
            ),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="override_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(branch__isnull=True) | Q(staff__isnull=False), name="override_branch_of_a_staff_member"
            ),
            models.CheckConstraint(
                condition=Q(all_methods=True) | Q(staff__isnull=True), name="override_of_staff_binds_all_methods"
            ),
            _once_per_date("location"),
            _once_per_date("staff"),
        ]


class OverrideHours(TimeSpan):
    """An interval of each day of an override."""

    override = models.ForeignKey(DateOverride, models.CASCADE, related_name="hours")

    class Meta(TimeSpan.Meta):
        ordering = ["start"]


class HolidayCalendar(models.Model):
    """Public holidays on which a location is closed, computed by the library `holidays`."""

    location = models.OneToOneField(Location, models.CASCADE, related_name="holiday_calendar")
    # ISO 3166-1 alpha-2, and the library's code of a subdivision.
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(_("region"), max_length=20, blank=True)
    all_methods = models.BooleanField(_("also phone and video"), default=True, db_default=True)
    # Keys of `staff.closings.holiday_dates.Holiday`, for all years.
    switched_off = ArrayField(models.CharField(max_length=200), default=list, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(country=""), name="holiday_calendar_has_a_country")]

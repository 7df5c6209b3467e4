"""Forms of the page Hours: the week as a grid, and time off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.hours import TimeRange, add_time_off, to_utc
from staff.models import StaffMember, Weekday
from staff.planned_changes import Cause, PlannedChange
from staff.validators import one_line

MAX_RANGES_PER_DAY = 8
_YEAR = timedelta(days=366)


@dataclass(frozen=True)
class DayRow:
    """A weekday of the grid, with pairs of start and end."""

    name: str
    pairs: list[tuple[BoundField, BoundField]]


class WeekForm(forms.Form):
    """Weekly hours. Each day has a pair per time range and an empty one. Emptying a pair removes the range."""

    def __init__(self, data: Mapping[str, Any] | None, *, week: Iterable[TimeRange]) -> None:
        initial = _as_fields(week)
        super().__init__(data, initial=initial)
        self.pairs = {day: _pairs(day, initial if data is None else data, data is None) for day in Weekday}
        for day, names in self.pairs.items():
            for number, (start, end) in enumerate(names, 1):
                self.fields[start] = _time_field(gettext("%(day)s, from (%(number)s)"), day, number)
                self.fields[end] = _time_field(gettext("%(day)s, to (%(number)s)"), day, number)

    @property
    def days(self) -> list[DayRow]:
        return [
            DayRow(str(day.label), [(self[start], self[end]) for start, end in names])
            for day, names in self.pairs.items()
        ]

    def clean(self) -> None:
        """Check that pairs are complete and ordered, and that ranges of a day don't overlap."""
        self.week: list[TimeRange] = []
        for day, names in self.pairs.items():
            time_ranges = [s for start, end in names if (s := self._time_range(day, start, end)) is not None]
            self._refuse_overlaps(time_ranges)
            self.week += [time_range for time_range, _end in time_ranges]

    def _time_range(self, day: int, start: str, end: str) -> tuple[TimeRange, str] | None:
        if start not in self.cleaned_data or end not in self.cleaned_data:
            return None  # Not a time: the field has an error.
        first, last = self.cleaned_data[start], self.cleaned_data[end]
        if first is None and last is None:
            return None
        if first is None or last is None:
            self.add_error(end, gettext("Enter both times, or neither."))
        elif first >= last:
            self.add_error(end, gettext("The end must be after the start."))
        else:
            return TimeRange(day, first, last), end
        return None

    def _refuse_overlaps(self, time_ranges: list[tuple[TimeRange, str]]) -> None:
        for (earlier, _end), (later, name) in pairwise(sorted(time_ranges)):
            if later.start < earlier.end:
                self.add_error(
                    name,
                    gettext("This overlaps %(start)s–%(end)s.")
                    % {"start": f"{earlier.start:%H:%M}", "end": f"{earlier.end:%H:%M}"},
                )


def with_monday_copied(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the submitted data with Monday's hours copied to Tuesday to Friday."""
    monday = [(start, end) for start, end in _pairs(Weekday.MONDAY, data, False) if data.get(start)]
    copied = {name: value for name, value in data.items() if name[:2] not in {"d1", "d2", "d3", "d4"}}
    for day in (Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY):
        for number, (start, end) in enumerate(monday):
            copied[f"d{day}_{number}_start"] = data.get(start, "")
            copied[f"d{day}_{number}_end"] = data.get(end, "")
    return copied


def _as_fields(week: Iterable[TimeRange]) -> dict[str, time]:
    by_day: dict[int, list[TimeRange]] = defaultdict(list)
    for time_range in sorted(week):
        by_day[time_range.weekday].append(time_range)
    values: dict[str, time] = {}
    for day, time_ranges in by_day.items():
        for number, time_range in enumerate(time_ranges):
            values[f"d{day}_{number}_start"] = time_range.start
            values[f"d{day}_{number}_end"] = time_range.end
    return values


def _pairs(day: int, values: Mapping[str, Any], with_empty: bool) -> list[tuple[str, str]]:
    names = [(f"d{day}_{number}_start", f"d{day}_{number}_end") for number in range(MAX_RANGES_PER_DAY)]
    used = [number for number, (start, end) in enumerate(names) if start in values or end in values]
    return names[: used[-1] + 1 + with_empty] if used else names[:1]


def _time_field(label: str, day: Weekday, number: int) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label % {"day": day.label, "number": number}, required=False, widget=widget)


class TimeOffForm(forms.Form):
    """Time off of `person`, in the person's time zone. Without times it covers whole days."""

    first_day = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    first_time = forms.TimeField(
        label=_("From"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    last_day = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last_time = forms.TimeField(
        label=_("To"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, validators=[one_line])

    def __init__(self, data: Mapping[str, Any] | None, *, person: StaffMember) -> None:
        super().__init__(data)
        self.person = person

    def clean_first_day(self) -> date:
        """Check the year."""
        day: date = self.cleaned_data["first_day"]
        return _check_year(day)

    def clean_last_day(self) -> date | None:
        """Check the year. An empty last day means the first day."""
        day: date | None = self.cleaned_data["last_day"]
        return _check_year(day) if day is not None else self.cleaned_data.get("first_day")

    def clean(self) -> None:
        """Check that the end is after the start and not in the past."""
        if self.errors:
            return
        starts_at, ends_at = self.period(self.person.zone)
        if ends_at <= starts_at:
            self.add_error("last_day", gettext("The end must be after the start."))
        elif ends_at <= timezone.now():
            self.add_error("last_day", gettext("This is over already. Check the dates."))

    def period(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return start and end in UTC."""
        given = self.cleaned_data
        starts_at = datetime.combine(given["first_day"], given["first_time"] or time())
        ends_at = datetime.combine(given["last_day"], given["last_time"] or time())
        if given["last_time"] is None:
            ends_at += timedelta(days=1)
        return to_utc(starts_at, zone), to_utc(ends_at, zone)

    def planned_changes(self) -> list[PlannedChange]:
        """Return that the person is off in the entered period."""
        starts_at, ends_at = self.period(self.person.zone)
        change = PlannedChange(
            self.person.organization, Cause.TIME_OFF, people=(self.person.pk,), starts_at=starts_at, ends_at=ends_at
        )
        return [change]

    def save_or_explain(self) -> bool:
        """Add the time off. Return False, with an error on the form, if it overlaps other time off."""
        starts_at, ends_at = self.period(self.person.zone)
        try:
            add_time_off(self.person, starts_at=starts_at, ends_at=ends_at, reason=self.cleaned_data["reason"])
        except ValidationError as refusal:
            self.add_error(None, refusal.messages)
        return not self.errors


def _check_year(day: date) -> date:
    today = timezone.localdate()
    if not today - _YEAR <= day <= today + 10 * _YEAR:
        raise ValidationError(gettext("Check the year."))
    return day

"""The forms of the page Hours: the week as a grid, and time off."""

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

from staff.hours import TimeRange, add_time_off, as_instant
from staff.models import StaffMember, Weekday
from staff.validators import one_line

MAX_RANGES_PER_DAY = 8
_YEAR = timedelta(days=366)


@dataclass(frozen=True)
class DayRow:
    """One weekday of the grid: pairs of from and to."""

    name: str
    pairs: list[tuple[BoundField, BoundField]]


class WeekForm(forms.Form):
    """The hours of a week. Every day has its stretches and one empty pair more; a pair that is emptied goes."""

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
        """The grid for the template."""
        return [
            DayRow(str(day.label), [(self[start], self[end]) for start, end in names])
            for day, names in self.pairs.items()
        ]

    def clean(self) -> None:
        """Both ends of a pair, in their order, and no two of a day at the same time."""
        self.week: list[TimeRange] = []
        for day, names in self.pairs.items():
            stretches = [s for start, end in names if (s := self._stretch(day, start, end)) is not None]
            self._refuse_overlaps(stretches)
            self.week += [stretch for stretch, _end in stretches]

    def _stretch(self, day: int, start: str, end: str) -> tuple[TimeRange, str] | None:
        if start not in self.cleaned_data or end not in self.cleaned_data:
            return None  # What was typed is no time: the field says so.
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

    def _refuse_overlaps(self, stretches: list[tuple[TimeRange, str]]) -> None:
        for (earlier, _end), (later, name) in pairwise(sorted(stretches)):
            if later.start < earlier.end:
                self.add_error(
                    name,
                    gettext("This overlaps %(start)s–%(end)s.")
                    % {"start": f"{earlier.start:%H:%M}", "end": f"{earlier.end:%H:%M}"},
                )


def with_monday_everywhere(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with Monday's hours on Tuesday to Friday too."""
    monday = [(start, end) for start, end in _pairs(Weekday.MONDAY, data, False) if data.get(start)]
    copied = {name: value for name, value in data.items() if name[:2] not in {"d1", "d2", "d3", "d4"}}
    for day in (Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY):
        for number, (start, end) in enumerate(monday):
            copied[f"d{day}_{number}_start"] = data.get(start, "")
            copied[f"d{day}_{number}_end"] = data.get(end, "")
    return copied


def _as_fields(week: Iterable[TimeRange]) -> dict[str, time]:
    by_day: dict[int, list[TimeRange]] = defaultdict(list)
    for stretch in sorted(week):
        by_day[stretch.weekday].append(stretch)
    values: dict[str, time] = {}
    for day, stretches in by_day.items():
        for number, stretch in enumerate(stretches):
            values[f"d{day}_{number}_start"] = stretch.start
            values[f"d{day}_{number}_end"] = stretch.end
    return values


def _pairs(day: int, values: Mapping[str, Any], one_more: bool) -> list[tuple[str, str]]:
    names = [(f"d{day}_{number}_start", f"d{day}_{number}_end") for number in range(MAX_RANGES_PER_DAY)]
    used = [number for number, (start, end) in enumerate(names) if start in values or end in values]
    return names[: used[-1] + 1 + one_more] if used else names[:1]


def _time_field(label: str, day: Weekday, number: int) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label % {"day": day.label, "number": number}, required=False, widget=widget)


class TimeOffForm(forms.Form):
    """Time off of `person`, whole days unless times are given, in the person's zone."""

    first_day = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    first_time = forms.TimeField(
        label=_("From"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    last_day = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last_time = forms.TimeField(
        label=_("To"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, validators=[one_line])

    def __init__(self, data: Mapping[str, Any] | None, *, person: StaffMember) -> None:
        super().__init__(data)
        self.person = person

    def clean_first_day(self) -> date:
        """A year that can be meant."""
        day: date = self.cleaned_data["first_day"]
        return _plausible(day)

    def clean_last_day(self) -> date | None:
        """A year that can be meant; empty is the first day."""
        day: date | None = self.cleaned_data["last_day"]
        return _plausible(day) if day is not None else self.cleaned_data.get("first_day")

    def clean(self) -> None:
        """The end after the start, and not over yet."""
        if self.errors:
            return
        starts_at, ends_at = self.moments(self.person.zone)
        if ends_at <= starts_at:
            self.add_error("last_day", gettext("The end must be after the start."))
        elif ends_at <= timezone.now():
            self.add_error("last_day", gettext("This is over already. Check the dates."))

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Start and end; without times from the first midnight to the last."""
        given = self.cleaned_data
        starts_at = datetime.combine(given["first_day"], given["first_time"] or time())
        ends_at = datetime.combine(given["last_day"], given["last_time"] or time())
        if given["last_time"] is None:
            ends_at += timedelta(days=1)
        return as_instant(starts_at, zone), as_instant(ends_at, zone)

    def save_or_explain(self) -> bool:
        """Note the time off; False when it overlaps other time off, with the sentence on the form."""
        starts_at, ends_at = self.moments(self.person.zone)
        try:
            add_time_off(
                self.person, starts_at=starts_at, ends_at=ends_at, reason=self.cleaned_data["reason"]
            )
        except ValidationError as refusal:
            self.add_error(None, refusal.messages)
        return not self.errors


def _plausible(day: date) -> date:
    today = timezone.localdate()
    if not today - _YEAR <= day <= today + 10 * _YEAR:
        raise ValidationError(gettext("Check the year."))
    return day

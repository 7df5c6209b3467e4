"""Form of weekly hours: the week as a grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.forms import BoundField
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.clock import format_time
from staff.forms.days import check_year
from staff.hours import TimeRange
from staff.locations.choices import choice_label
from staff.models import Location, Weekday

MAX_RANGES_PER_DAY = 8
_WEEK_MINUTES: Final = 7 * 24 * 60
# Longer hours past midnight are more likely a typing error, such as 09:00 to 05:00.
_LONGEST_NIGHT_MINUTES: Final = 16 * 60


@dataclass(frozen=True)
class DayRow:
    """A weekday of the grid, with pairs of start and end."""

    name: str
    pairs: list[tuple[BoundField, BoundField]]
    # The location of each pair; None if there is no choice.
    places: list[BoundField | None]

    @property
    def ranges(self) -> list[tuple[BoundField, BoundField, BoundField | None]]:
        return [(start, end, place) for (start, end), place in zip(self.pairs, self.places, strict=True)]


class WeekForm(forms.Form):
    """Weekly hours. Each day has a pair per time range and an empty one. Emptying a pair removes the range.

    An end that isn't after the start lies on the next day. With `locations`, each range has one of them or none.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        week: Iterable[TimeRange],
        locations: Sequence[Location] = (),
        no_location: str = "",
    ) -> None:
        initial = _as_fields(week)
        super().__init__(data, initial=initial)
        self.pairs = {day: _pairs(day, initial if data is None else data, data is None) for day in Weekday}
        for day, names in self.pairs.items():
            for number, (start, end) in enumerate(names, 1):
                self.fields[start] = _time_field(gettext("%(day)s, from (%(number)s)"), day, number)
                self.fields[end] = _time_field(gettext("%(day)s, to (%(number)s)"), day, number)
                if locations:
                    self.fields[_place_of(start)] = _place_field(day, number, locations, no_location)

    @property
    def days(self) -> list[DayRow]:
        return [
            DayRow(
                str(day.label),
                [(self[start], self[end]) for start, end in names],
                [self[place] if (place := _place_of(start)) in self.fields else None for start, _end in names],
            )
            for day, names in self.pairs.items()
        ]

    def clean(self) -> None:
        """Check that pairs are complete, and that no two ranges overlap."""
        pairs = [(day, start, end) for day, names in self.pairs.items() for start, end in names]
        found = [part for day, start, end in pairs if (part := self._time_range(day, start, end)) is not None]
        self._refuse_overlaps(found)
        self.week: list[TimeRange] = [time_range for time_range, _end in found]

    def _time_range(self, day: int, start: str, end: str) -> tuple[TimeRange, str] | None:
        if start not in self.cleaned_data or end not in self.cleaned_data:
            return None  # Not a time: the field has an error.
        first, last = self.cleaned_data[start], self.cleaned_data[end]
        if first is None and last is None:
            return None
        if first is None or last is None:
            self.add_error(end, gettext("Enter both times, or neither."))
            return None
        place = self.cleaned_data.get(_place_of(start))
        time_range = TimeRange(day, first, last, int(place) if place else None)
        if error := span_error(time_range):
            self.add_error(end, error)
            return None
        return time_range, end

    def _refuse_overlaps(self, found: list[tuple[TimeRange, str]]) -> None:
        if not found:
            return
        in_order = sorted(found, key=lambda part: part[0].minutes)
        for (earlier, _end), (later, name) in pairwise(in_order):
            if later.minutes[0] < earlier.minutes[1]:
                self.add_error(name, _overlap_text(earlier, later))
        (last, _end), (first, name) = in_order[-1], in_order[0]
        if first.minutes[0] + _WEEK_MINUTES < last.minutes[1]:
            self.add_error(name, _overlap_text(last, first))


class StartDayForm(forms.Form):
    """The day from which weekly hours hold. Without it they hold at once."""

    starts_on = forms.DateField(
        label=_("From this day on"),
        help_text=_("Leave this empty to change the hours at once."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, zone: ZoneInfo, initial: date | None = None) -> None:
        super().__init__(data, initial={"starts_on": initial.isoformat() if initial else None})
        self.zone = zone

    def clean_starts_on(self) -> date | None:
        """Check that the day is in the future and near."""
        day: date | None = self.cleaned_data["starts_on"]
        if day is None:
            return None
        if day <= timezone.localdate(timezone=self.zone):
            raise forms.ValidationError(gettext("Choose a later day, or leave this empty to change the hours at once."))
        return check_year(day)


class CopyForm(forms.Form):
    """A weekday whose hours are copied to other days."""

    copy_from = forms.TypedChoiceField(label=_("Copy from"), choices=Weekday, coerce=int, initial=Weekday.MONDAY)
    copy_to = forms.TypedMultipleChoiceField(
        label=_("to"),
        choices=Weekday,
        coerce=int,
        initial=[Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose the days to copy to.")},
    )


def with_day_copied(data: Mapping[str, Any], source: int, targets: Iterable[int]) -> dict[str, Any]:
    """Return the submitted data with one weekday's hours copied to other weekdays."""
    present = [(start, end) for start, end in _pairs(source, data, False) if data.get(start)]
    others = [day for day in targets if day != source]
    copied = {name: value for name, value in data.items() if not name.startswith(tuple(f"d{day}_" for day in others))}
    for day in others:
        for number, (start, end) in enumerate(present):
            for part, name in (("start", start), ("end", end), ("place", _place_of(start))):
                copied[f"d{day}_{number}_{part}"] = data.get(name, "")
    return copied


def span_error(part: TimeRange) -> str:
    """Return why these hours can't be right; "" if they can."""
    if part.start == part.end and part.start.minute + part.start.hour:
        return gettext("The end must be after the start.")
    start, end = part.minutes
    is_past_midnight = part.end <= part.start and part.end.hour + part.end.minute > 0
    if is_past_midnight and end - start > _LONGEST_NIGHT_MINUTES:
        params = {"start": format_time(part.start), "end": format_time(part.end)}
        return gettext("%(start)s to %(end)s would end on the next day. Check the times.") % params
    return ""


def _overlap_text(earlier: TimeRange, later: TimeRange) -> str:
    hours = f"{format_time(earlier.start)}–{format_time(earlier.end)}"
    if earlier.weekday != later.weekday:
        hours = f"{Weekday(earlier.weekday).label} {hours}"
    return gettext("This overlaps %(hours)s.") % {"hours": hours}


def _as_fields(week: Iterable[TimeRange]) -> dict[str, Any]:
    by_day: dict[int, list[TimeRange]] = defaultdict(list)
    for time_range in sorted(week, key=lambda part: part.minutes):
        by_day[time_range.weekday].append(time_range)
    values: dict[str, Any] = {}
    for day, time_ranges in by_day.items():
        for number, time_range in enumerate(time_ranges):
            values[f"d{day}_{number}_start"] = time_range.start
            values[f"d{day}_{number}_end"] = time_range.end
            values[f"d{day}_{number}_place"] = time_range.location
    return values


def _pairs(day: int, values: Mapping[str, Any], with_empty: bool) -> list[tuple[str, str]]:
    names = [(f"d{day}_{number}_start", f"d{day}_{number}_end") for number in range(MAX_RANGES_PER_DAY)]
    used = [number for number, (start, end) in enumerate(names) if start in values or end in values]
    return names[: used[-1] + 1 + with_empty] if used else names[:1]


def _place_of(start: str) -> str:
    """Return the name of the field of the location beside that of the start."""
    return start.removesuffix("start") + "place"


def _time_field(label: str, day: Weekday, number: int) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label % {"day": day.label, "number": number}, required=False, widget=widget)


def _place_field(day: Weekday, number: int, locations: Sequence[Location], no_location: str) -> forms.ChoiceField:
    label = gettext("%(day)s, location (%(number)s)") % {"day": day.label, "number": number}
    choices = [("", no_location), *((location.pk, choice_label(location)) for location in locations)]
    return forms.ChoiceField(label=label, choices=choices, required=False)

"""Forms of overrides: closings of locations, and exceptions of staff members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.forms import BoundField
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.fields.one_line_text import OneLineFormField
from staff.clock import format_time
from staff.closings.overrides import OverrideValues
from staff.forms.days import check_year
from staff.forms.hours import span_error
from staff.hours import TimeRange
from staff.locations.choices import choice_label
from staff.models import DateOverride, Location, StaffMember
from staff.validators import one_line

_RANGES: Final = 3
CLOSED, OTHER_HOURS = "closed", "hours"


class OverrideForm(forms.Form):
    """Days that are closed or have other hours, in the time zones of the owners."""

    first_day = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(
        label=_("Last day"),
        help_text=_("Empty for a single day."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    kind = forms.ChoiceField(label=_("Hours"), choices=(), widget=forms.RadioSelect, initial=CLOSED)
    label = OneLineFormField(
        label=_("Name"), help_text=_("Such as “Staff training”."), required=False, max_length=100, validators=[one_line]
    )

    closed_label = _("Closed")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, zones: Iterable[ZoneInfo], override: DateOverride | None = None
    ) -> None:
        super().__init__(data, initial=_initial(override) if override else None)
        self.zones = list(dict.fromkeys(zones))
        choices = [(CLOSED, self.closed_label), (OTHER_HOURS, _("Other hours:"))]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        for number in range(1, _RANGES + 1):
            for name, label in (("start", gettext("From (%(number)s)")), ("end", gettext("To (%(number)s)"))):
                widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
                label = label % {"number": number}
                self.fields[f"{name}_{number}"] = forms.TimeField(label=label, required=False, widget=widget)

    @property
    def ranges(self) -> list[tuple[BoundField, BoundField]]:
        return [(self[f"start_{number}"], self[f"end_{number}"]) for number in range(1, _RANGES + 1)]

    def clean_first_day(self) -> date:
        """Check the year."""
        day: date = self.cleaned_data["first_day"]
        return check_year(day)

    def clean_last_day(self) -> date | None:
        """Check the year. An empty last day means the first day."""
        day: date | None = self.cleaned_data["last_day"]
        return check_year(day) if day is not None else self.cleaned_data.get("first_day")

    def clean(self) -> None:
        """Check that the days are in order and not over, and the hours complete, in order and on the clock."""
        self._check_days()
        self.hours: list[tuple[time, time]] = []
        if self.cleaned_data.get("kind") == OTHER_HOURS:
            numbers = range(1, _RANGES + 1)
            found = [(part, number) for number in numbers if (part := self._time_range(number)) is not None]
            self._check_hours(found)
            self.hours = sorted((part.start, part.end) for part, _number in found)

    @property
    def values(self) -> OverrideValues:
        given = self.cleaned_data
        return OverrideValues(
            first_day=given["first_day"],
            last_day=given["last_day"],
            hours=self.hours,
            all_methods=given.get("all_methods", True),
            label=given["label"],
            branch=given.get("branch"),
        )

    def _check_days(self) -> None:
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first is None or last is None:
            return
        if last < first:
            self.add_error("last_day", gettext("The last day is before the first day."))
        elif all(last < timezone.localdate(timezone=zone) for zone in self.zones):
            self.add_error("last_day", gettext("This is over already. Check the dates."))

    def _time_range(self, number: int) -> TimeRange | None:
        start, end = f"start_{number}", f"end_{number}"
        if start not in self.cleaned_data or end not in self.cleaned_data:
            return None  # Not a time: the field has an error.
        first, last = self.cleaned_data[start], self.cleaned_data[end]
        if first is None and last is None:
            return None
        if first is None or last is None:
            self.add_error(end, gettext("Enter both times, or neither."))
            return None
        part = TimeRange(0, first, last)
        if error := span_error(part) or self._skipped_text(part):
            self.add_error(end, error)
        return part

    def _check_hours(self, found: Sequence[tuple[TimeRange, int]]) -> None:
        if not found and not self.errors:
            self.add_error("kind", gettext("Enter the hours, or choose “%(closed)s”.") % {"closed": self.closed_label})
        in_order = sorted(found, key=lambda part: part[0].minutes)
        for (earlier, _number), (later, number) in pairwise(in_order):
            if later.minutes[0] < earlier.minutes[1]:
                hours = f"{format_time(earlier.start)}–{format_time(earlier.end)}"
                self.add_error(f"end_{number}", gettext("This overlaps %(hours)s.") % {"hours": hours})

    def _skipped_text(self, part: TimeRange) -> str:
        """Return a sentence if clocks skip one of the times on a single day; "" otherwise.

        On several days, such hours begin or end when the clocks change.
        """
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first is None or first != last:
            return ""
        ends_on = first + timedelta(days=part.end <= part.start)
        for day, at in ((first, part.start), (ends_on, part.end)):
            if any(_is_skipped(datetime.combine(day, at, zone)) for zone in self.zones):
                params = {"day": date_format(day, "j F Y"), "time": format_time(at)}
                return gettext("Clocks change on %(day)s and skip %(time)s. Choose another time.") % params
        return ""


class ClosingForm(OverrideForm):
    """Closing of one location or of several. An existing one keeps its location."""

    locations = forms.ModelMultipleChoiceField(
        label=_("Locations"),
        queryset=Location.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one location.")},
    )
    all_methods = forms.BooleanField(
        label=_("Also phone and video"),
        help_text=_("Otherwise, only appointments at the location are stopped."),
        required=False,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        locations: Sequence[Location],
        override: DateOverride | None = None,
    ) -> None:
        super().__init__(data, zones=[location.time_zone for location in locations], override=override)
        if override is not None:
            del self.fields["locations"]
            return
        field = self.fields["locations"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = Location.objects.filter(pk__in=[location.pk for location in locations])
        field.initial = [location.pk for location in locations]


class ExceptionForm(OverrideForm):
    """Day off or other hours of a staff member."""

    branch = forms.ModelChoiceField(label=_("Location"), queryset=Location.objects.none(), required=False)

    closed_label = _("Not working")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        person: StaffMember,
        locations: Sequence[Location] = (),
        override: DateOverride | None = None,
    ) -> None:
        super().__init__(data, zones=[person.zone], override=override)
        chosen = override.branch_id if override else None
        locations = [location for location in locations if location.active or location.pk == chosen]
        if len(locations) < 2:
            del self.fields["branch"]
            return
        field = self.fields["branch"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = Location.objects.filter(pk__in=[location.pk for location in locations])
        home = choice_label(person.location) if person.location else gettext("Any location")
        field.choices = [("", home), *((location.pk, choice_label(location)) for location in locations)]


def _initial(override: DateOverride) -> dict[str, Any]:
    hours = list(override.hours.all())
    initial: dict[str, Any] = {
        "first_day": override.first_day.isoformat(),
        "last_day": override.last_day.isoformat(),
        "kind": OTHER_HOURS if hours else CLOSED,
        "label": override.label,
        "all_methods": override.all_methods,
        "branch": override.branch_id,
    }
    for number, row in enumerate(hours, 1):
        initial |= {f"start_{number}": row.start, f"end_{number}": row.end}
    return initial


def _is_skipped(local: datetime) -> bool:
    """Return whether clocks skip this local time."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)

"""Form of time off on the page Hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.fields.one_line_text import OneLineFormField
from staff.forms.days import check_year
from staff.hours import add_time_off, to_utc
from staff.models import StaffMember
from staff.planned_changes import Cause, PlannedChange
from staff.validators import one_line


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
    reason = OneLineFormField(label=_("Reason"), required=False, max_length=200, validators=[one_line])

    def __init__(self, data: Mapping[str, Any] | None, *, person: StaffMember) -> None:
        super().__init__(data)
        self.person = person

    def clean_first_day(self) -> date:
        """Check the year."""
        day: date = self.cleaned_data["first_day"]
        return check_year(day)

    def clean_last_day(self) -> date | None:
        """Check the year. An empty last day means the first day."""
        day: date | None = self.cleaned_data["last_day"]
        return check_year(day) if day is not None else self.cleaned_data.get("first_day")

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

"""Date and time of an appointment, typed or chosen from the free times."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.availability.slots import is_within_hours
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.dates import DayField
from appointments.forms.progressive import ProgressiveForm
from appointments.parameters import clean_or_none
from staff.models import StaffMember


class DateTimeGroup(ProgressiveForm):
    """Date and time in the zone of the user who fills the form in.

    After a BookingError the group offers the next free times, or the box for booking outside working hours.
    """

    date = DayField(label=gettext_lazy("Date"), error_messages={"required": gettext_lazy("Choose a date.")})
    time = forms.TimeField(
        label=gettext_lazy("Time"),
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        error_messages={
            "required": gettext_lazy("Choose one of the free times, or enter a time."),
            "invalid": gettext_lazy("Enter a time such as 14:30."),
        },
    )
    outside_hours = forms.BooleanField(label=gettext_lazy("Book outside working hours"), required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.next_free: list[dt.datetime] = []
        self.offers_outside_hours = bool(self.picked("outside_hours"))

    def clean(self) -> dict[str, Any]:
        """Add `starts_at`, an aware datetime."""
        cleaned = super().clean() or self.cleaned_data
        day, at = cleaned.get("date"), cleaned.get("time")
        if day is not None and at is not None:
            cleaned["starts_at"] = self._aware_datetime(day, at)
        return cleaned

    def picked_time(self) -> str:
        """Return the present time, such as "14:30"."""
        return self.picked("time")[:5]

    def picked_date(self) -> dt.date | None:
        """Return the present date; None if it isn't valid."""
        day: dt.date | None = clean_or_none(DayField(), self.picked("date"))
        return day

    def offer_alternatives(self, error: BookingError, member: StaffMember, duration: dt.timedelta) -> None:
        """Offer the next free times of a taken time, or booking outside working hours if that would help."""
        if isinstance(error, TimeTaken):
            self.next_free = list(error.next_free)
        elif error.field == "starts_at" and self.cleaned_data["starts_at"] > timezone.now():
            starts_at = self.cleaned_data["starts_at"]
            self.offers_outside_hours |= not is_within_hours(member, starts_at, starts_at + duration)

    def _aware_datetime(self, day: dt.date, at: dt.time) -> dt.datetime | None:
        naive = dt.datetime.combine(day, at)
        aware = naive.replace(tzinfo=self.zone)
        if aware.astimezone(dt.UTC).astimezone(self.zone).replace(tzinfo=None) != naive:
            self.add_error("time", _("Clocks change that day and skip this time. Choose another one."))
            return None
        return aware

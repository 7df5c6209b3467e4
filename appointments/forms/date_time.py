"""A day and a time, typed or chosen from the free ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.availability.slots import is_within_hours
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.dates import DayField
from appointments.forms.progressive import ProgressiveForm
from staff.models import StaffMember


class DateTimeForm(ProgressiveForm):
    """A moment in the zone of whoever fills the form in; after a refusal, the times that are free instead."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.next_free: list[dt.datetime] = []
        self.offers_outside_hours = bool(self.picked("outside_hours"))

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`, aware."""
        cleaned = super().clean() or self.cleaned_data
        day, at = cleaned.get("date"), cleaned.get("time")
        if day is not None and at is not None:
            cleaned["starts_at"] = self._moment(day, at)
        return cleaned

    def picked_time(self) -> str:
        """The time that stands in the form, such as "14:30"."""
        return self.picked("time")[:5]

    def picked_date(self) -> dt.date | None:
        """The date that stands in the form, where it is one."""
        return DayField.day_in(self.picked("date"))

    def refuse(
        self, refusal: BookingError, member: StaffMember, duration: dt.timedelta, *, field: str = ""
    ) -> None:
        """Say why beside the field (the refusal's own, or `field`), and offer what would work."""
        field = "time" if refusal.field == "starts_at" else field or refusal.field
        self.add_error(field if field in self.fields else None, refusal.sentence)
        if isinstance(refusal, TimeTaken):
            self.next_free = list(refusal.next_free)
        elif field == "time" and self.cleaned_data["starts_at"] > timezone.now():
            starts_at = self.cleaned_data["starts_at"]
            self.offers_outside_hours |= not is_within_hours(member, starts_at, starts_at + duration)

    def _moment(self, day: dt.date, at: dt.time) -> dt.datetime | None:
        moment = dt.datetime.combine(day, at, self.zone)
        if moment.astimezone(dt.UTC).astimezone(self.zone).replace(tzinfo=None) != dt.datetime.combine(
            day, at
        ):
            self.add_error("time", _("Clocks change that day and skip this time. Choose another one."))
            return None
        return moment

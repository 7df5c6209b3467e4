"""Date and time of an appointment, typed or chosen from the free times."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.availability.slots import is_within_hours
from appointments.booking_rules.errors import BookingError, DayFull, TimeTaken
from appointments.dates import DayField
from appointments.forms.progressive import ProgressiveForm
from appointments.parameters import clean_or_none
from appointments.time_zones import clock_time, is_repeated, is_skipped
from staff.models import Location, StaffMember


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
    # Shown only if clocks show the time twice that day.
    fold = forms.ChoiceField(
        label=gettext_lazy("Clocks show this time twice that day"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the two times.")},
    )
    outside_hours = forms.BooleanField(label=gettext_lazy("Book outside working hours"), required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.next_free: list[dt.datetime] = []
        self.offers_outside_hours = bool(self.picked("outside_hours"))
        self.repeated_times = self._repeated_times()
        if self.repeated_times:
            choices = [(str(each.fold), clock_time(each)) for each in self.repeated_times]
            cast(forms.ChoiceField, self.fields["fold"]).choices = choices
        else:
            del self.fields["fold"]

    def clean(self) -> dict[str, Any]:
        """Add `starts_at`, in UTC. Arithmetic in a local zone would lose the fold."""
        cleaned = super().clean() or self.cleaned_data
        day, at = cleaned.get("date"), cleaned.get("time")
        if day is not None and at is not None:
            local = self._local_datetime(day, at)
            cleaned["starts_at"] = local and local.astimezone(dt.UTC)
        return cleaned

    @property
    def picked_value(self) -> str:
        """Return the present date and time as the buttons of the free times submit them; see `pick_value`."""
        fold = f";{self.picked('fold')}" if self.repeated_times else ""
        return f"{self.picked('date')}T{self.picked('time')[:5]}{fold}"

    def picked_date(self) -> dt.date | None:
        """Return the present date; None if it isn't valid."""
        day: dt.date | None = clean_or_none(DayField(), self.picked("date"))
        return day

    def offer_alternatives(
        self,
        error: BookingError,
        member: StaffMember,
        duration: dt.timedelta,
        method: int,
        location: Location | None = None,
    ) -> None:
        """Offer the next free times of a taken time, or booking outside working hours if that would help."""
        if isinstance(error, TimeTaken):
            self.next_free = list(error.next_free)
        elif error.field == "starts_at" and self.cleaned_data["starts_at"] > timezone.now():
            starts_at = self.cleaned_data["starts_at"]
            self.offers_outside_hours |= not is_within_hours(
                member, starts_at, starts_at + duration, method=method, location=location
            )
        if isinstance(error, DayFull):
            self.offers_outside_hours = True
            self["outside_hours"].label = _("Book above the daily limit")

    def _repeated_times(self) -> list[dt.datetime]:
        """Return both datetimes of the present time if clocks show it twice that day, else an empty list."""
        day, at = self.picked_date(), clean_or_none(forms.TimeField(), self.picked("time"))
        if day is None or at is None:
            return []
        both = [dt.datetime.combine(day, at, self.zone).replace(fold=fold) for fold in (0, 1)]
        return both if is_repeated(both[0]) and not is_skipped(both[0]) else []

    def _local_datetime(self, day: dt.date, at: dt.time) -> dt.datetime | None:
        if self.repeated_times:
            return self._chosen_of_repeated_times()
        aware = dt.datetime.combine(day, at, self.zone)
        if is_skipped(aware):
            self.add_error("time", _("Clocks change that day and skip this time. Choose another one."))
            return None
        return aware

    def _chosen_of_repeated_times(self) -> dt.datetime | None:
        if fold := self.cleaned_data.get("fold"):
            return self.repeated_times[int(fold)]
        if "fold" not in self.errors:
            self.add_error("fold", _("Clocks go back that day and show this time twice. Choose one of the two times."))
        return None

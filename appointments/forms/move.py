"""Move form: another time for an appointment."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from appointments.booking.candidates import FreeTimes, free_times
from appointments.booking_rules.errors import BookingError
from appointments.forms.date_time import DateTimeGroup
from appointments.forms.fields import DontNotifyField, VersionField
from appointments.forms.progressive import CompositeForm
from appointments.models import Appointment
from appointments.parameters import clean_or_none


class MoveForm(CompositeForm):
    """Date, time and length of an appointment, prefilled with the present ones.

    `date_time` holds the fields of the time. The length shows only if the service allows another one.
    """

    length = forms.IntegerField(
        label=_("Length (minutes)"),
        min_value=5,
        max_value=24 * 60,
        error_messages={
            "required": _("Enter a length, such as 45."),
            "invalid": _("Enter a number of minutes."),
        },
    )
    # Shown only once the user has read of the client's other appointment.
    client_busy_anyway = forms.BooleanField(label=_("Move anyway"), required=False)
    version = VersionField()
    dont_notify = DontNotifyField()

    def __init__(self, *args: Any, appointment: Appointment, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.appointment = appointment
        self.date_time = DateTimeGroup(*args, zone=zone, **kwargs)
        self.groups.append(self.date_time)
        if not appointment.service.adjustable_length:
            del self.fields["length"]

    @classmethod
    def from_request(cls, request: HttpRequest, appointment: Appointment, zone: ZoneInfo) -> MoveForm:
        """Return a bound form for a final submit, else an unbound one with the choices so far.

        Links from other pages preset the date and the time.
        """
        if request.method == "POST" and not cls.is_preview(request.POST):
            return cls(request.POST, appointment=appointment, zone=zone)
        starts_at = timezone.localtime(appointment.starts_at, zone)
        initial = {
            "date": starts_at.date().isoformat(),
            "time": starts_at.strftime("%H:%M"),
            "fold": str(starts_at.fold),
            "length": str(_length_minutes(appointment)),
            "version": str(appointment.version),
        }
        chosen = cls.choices_so_far(request.POST or request.GET)
        return cls(initial=initial | chosen, appointment=appointment, zone=zone)

    @property
    def asks_to_move_anyway(self) -> bool:
        return bool(self.has_error("client_busy_anyway") or self.picked("client_busy_anyway"))

    @property
    def ends_at(self) -> dt.datetime | None:
        """Return the new end if the length changed, else None."""
        length: int = self.cleaned_data.get("length", _length_minutes(self.appointment))
        if length == _length_minutes(self.appointment):
            return None
        starts_at: dt.datetime = self.date_time.cleaned_data["starts_at"]
        return starts_at + dt.timedelta(minutes=length)

    @cached_property
    def times(self) -> FreeTimes | None:
        """Return the free times of the staff member on the chosen day."""
        day = self.date_time.picked_date()
        if day is None:
            return None
        booked = self.appointment
        return free_times(
            booked.service, booked.staff, day, self.date_time.zone, moving=booked, minutes=self._picked_minutes
        )

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to its field, with alternatives."""
        field = "time" if error.field == "starts_at" else error.field
        self.add_error(self.field_or_none(field), error.sentence)
        booked = self.appointment
        self.date_time.offer_alternatives(
            error, booked.staff, dt.timedelta(minutes=self._picked_minutes), booked.method, booked.location
        )

    @property
    def _picked_minutes(self) -> int:
        """Return the present length; the booked one if the typed text isn't valid."""
        length = self.fields.get("length")
        picked: int | None = clean_or_none(length, self.picked("length")) if length else None
        return picked or _length_minutes(self.appointment)


def _length_minutes(appointment: Appointment) -> int:
    return int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60

"""Another time for an appointment."""

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
from appointments.forms.change import VersionField
from appointments.forms.date_time import DateTimeForm
from appointments.forms.progressive import chosen_so_far, is_only_looking
from appointments.models import Appointment


class MoveForm(DateTimeForm):
    """Starts with the time the appointment has; the free times are those of its staff member.

    The length is asked for where the service allows another one.
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
    version = VersionField()

    def __init__(self, *args: Any, appointment: Appointment, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, zone=zone, **kwargs)
        self.appointment = appointment
        if not appointment.service.adjustable_length:
            del self.fields["length"]

    @classmethod
    def from_request(cls, request: HttpRequest, appointment: Appointment, zone: ZoneInfo) -> MoveForm:
        """Bound where the form was sent for good, else showing what was chosen so far."""
        if request.method == "POST" and not is_only_looking(request.POST):
            return cls(request.POST, appointment=appointment, zone=zone)
        starts_at = timezone.localtime(appointment.starts_at, zone)
        initial = {
            "date": starts_at.date().isoformat(),
            "time": starts_at.strftime("%H:%M"),
            "length": str(_minutes(appointment)),
            "version": str(appointment.version),
        }
        return cls(initial=initial | chosen_so_far(request.POST), appointment=appointment, zone=zone)

    @property
    def ends_at(self) -> dt.datetime | None:
        """The new end, where the length is another one."""
        length: int = self.cleaned_data.get("length", _minutes(self.appointment))
        if length == _minutes(self.appointment):
            return None
        starts_at: dt.datetime = self.cleaned_data["starts_at"]
        return starts_at + dt.timedelta(minutes=length)

    @cached_property
    def times(self) -> FreeTimes | None:
        """When the staff member is free on the chosen day."""
        day = self.picked_date()
        if day is None:
            return None
        booked = self.appointment
        return free_times(booked.service, booked.staff, day, self.zone, moving=booked)


def _minutes(appointment: Appointment) -> int:
    return int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60

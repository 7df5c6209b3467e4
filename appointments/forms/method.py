"""Change of the meeting method."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from appointments.availability.calendars import Durations
from appointments.availability.next_free import next_free
from appointments.booking_rules.errors import BookingError, TimeUnavailable
from appointments.changes.meeting_method import place_of
from appointments.forms.fields import ChangeForm, MeetingMethodField
from appointments.models import Appointment
from integrations.hosting.eligibility import Hosting, hosting_of
from services.models import MeetingMethod
from staff.models import Location


class MethodForm(ChangeForm):
    """Meeting method of the service, and the location for a meeting at a location."""

    method = MeetingMethodField()
    location = forms.ModelChoiceField(
        label=_("Location"),
        help_text=_("For a meeting at a location."),
        queryset=Location.objects.none(),
        required=False,
        empty_label=_("Where the staff member works"),
    )

    # Shown only after the hours refused the change.
    outside_hours = forms.BooleanField(label=_("Meet outside the opening and working hours"), required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, appointment: Appointment) -> None:
        initial = {
            "method": appointment.method,
            "location": appointment.location_id,
            "version": appointment.version,
        }
        super().__init__(data, initial=initial)
        self.appointment = appointment
        self.next_free: list[datetime] = []
        self.offers_outside_hours = bool(self["outside_hours"].value())
        method, location = self.fields["method"], self.fields["location"]
        assert isinstance(method, MeetingMethodField)  # noqa: S101 - narrows the type for mypy
        assert isinstance(location, forms.ModelChoiceField)  # noqa: S101
        self.methods = method.offer(appointment.service)
        # The appointment keeps a location that was closed since.
        offered = Q(active=True) | Q(pk=appointment.location_id)
        location.queryset = Location.objects.filter(offered, organization=appointment.organization_id)

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to the method, or else on top; with the next times at the location if it is closed."""
        self.add_error("method" if error.field == "method" else None, error.sentence)
        if isinstance(error, TimeUnavailable):
            self.offers_outside_hours = True
            self.next_free = self._next_free()

    def _next_free(self) -> list[datetime]:
        booked, method = self.appointment, self.cleaned_data["method"]
        return next_free(
            booked.service,
            booked.staff,
            booked.starts_at,
            durations=Durations.of_appointment(booked),
            method=method,
            location=place_of(booked, method, self.cleaned_data["location"]),
            ignoring=booked,
        )

    @cached_property
    def hosting(self) -> Hosting | None:
        """Return the hosting of a video call; None if the appointment can't become one."""
        if MeetingMethod.VIDEO not in self.methods or self.appointment.method == MeetingMethod.VIDEO:
            return None
        return hosting_of([self.appointment.staff])[self.appointment.staff_id]

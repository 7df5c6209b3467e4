"""Change of the meeting method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from appointments.booking_rules.errors import BookingError
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

    def __init__(self, data: Mapping[str, Any] | None, *, appointment: Appointment) -> None:
        initial = {
            "method": appointment.method,
            "location": appointment.location_id,
            "version": appointment.version,
        }
        super().__init__(data, initial=initial)
        self.appointment = appointment
        method, location = self.fields["method"], self.fields["location"]
        assert isinstance(method, MeetingMethodField)  # noqa: S101 - narrows the type for mypy
        assert isinstance(location, forms.ModelChoiceField)  # noqa: S101
        self.methods = method.offer(appointment.service)
        # The appointment keeps a location that was closed since.
        offered = Q(active=True) | Q(pk=appointment.location_id)
        location.queryset = Location.objects.filter(offered, organization=appointment.organization_id)

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to the method, or else on top."""
        self.add_error("method" if error.field == "method" else None, error.sentence)

    @cached_property
    def hosting(self) -> Hosting | None:
        """Return the hosting of a video call; None if the appointment can't become one."""
        if MeetingMethod.VIDEO not in self.methods or self.appointment.method == MeetingMethod.VIDEO:
            return None
        return hosting_of([self.appointment.staff])[self.appointment.staff_id]

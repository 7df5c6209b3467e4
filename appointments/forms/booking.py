"""Booking form of the schedule: a chosen staff member at any date and time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from appointments.booking.candidates import FreeTimes, free_times
from appointments.booking.working_places import working_places
from appointments.booking_rules.errors import BookingError
from appointments.forms.booking_base import BookingBaseForm
from appointments.forms.date_time import DateTimeGroup
from services.models import MeetingMethod
from staff.models import Location, StaffMember


class BookingForm(BookingBaseForm):
    """Books a chosen staff member, also outside working hours. `date_time` holds the fields of the time."""

    location = forms.ModelChoiceField(
        label=gettext_lazy("Location"),
        queryset=Location.objects.none(),
        required=False,
        empty_label=None,
        error_messages={
            "invalid_choice": gettext_lazy("This person does not work there. Choose another location or person.")
        },
    )

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.date_time = DateTimeGroup(*args, zone=actor.zone, **kwargs)
        self.groups.append(self.date_time)
        self._offer_locations()

    def _offer_locations(self) -> None:
        if not self.locations:
            # The browser may still send the choice for another method or person.
            del self.fields["location"]
            return
        field = self.fields["location"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = Location.objects.filter(pk__in=[place.pk for place in self.locations])
        field.choices = [(place.pk, place.name) for place in self.locations]
        self.initial["location"] = self.chosen_location.pk if self.chosen_location else None

    @cached_property
    def locations(self) -> list[Location]:
        """Return the locations where the chosen staff member can be booked in person; empty for other methods."""
        if self.chosen_staff is None or self.chosen_method != MeetingMethod.AT_LOCATION:
            return []
        return working_places([self.chosen_staff], self.chosen_service).locations()

    @cached_property
    def chosen_location(self) -> Location | None:
        """Return the chosen location, at first the home branch; None if there is no choice."""
        home = self.chosen_staff.location_id if self.chosen_staff else None
        by_pk = {str(place.pk): place for place in self.locations}
        default = by_pk.get(str(home)) or next(iter(self.locations), None)
        return by_pk.get(self.picked("location"), default)

    @cached_property
    def times(self) -> FreeTimes | None:
        """Return the free times of the chosen staff member on the chosen day; None while a choice is missing."""
        day = self.date_time.picked_date()
        if not (self.chosen_service and self.chosen_staff and day) or self.staff_problem:
            return None
        return free_times(
            self.chosen_service,
            self.chosen_staff,
            day,
            self.zone,
            method=self.chosen_method,
            location=self.chosen_location,
        )

    def booking(self, actor: StaffMember) -> dict[str, Any]:
        """Return arguments for `book_for`, without the staff member."""
        return {**super().booking(actor), "location": self.chosen_location}

    @property
    def starts_at(self) -> datetime:
        start: datetime = self.date_time.cleaned_data["starts_at"]
        return start

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to its field, with alternatives."""
        self.add_error(self.error_field(error, start="time"), error.sentence)
        chosen = self.cleaned_data
        duration = timedelta(minutes=chosen["service"].duration)
        self.date_time.offer_alternatives(error, chosen["staff"], duration, chosen["method"], self.chosen_location)

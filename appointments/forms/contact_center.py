"""Booking in the Contact Center: the first free times of anybody, or of one person."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.availability.first_slots import FirstSlots, find_first_slots
from appointments.booking.candidates import StaffCandidates
from appointments.booking_rules.errors import BookingError
from appointments.dates import DayField
from appointments.forms.booking_base import BookingBaseForm
from services.models import MeetingMethod
from staff.models import Location, StaffMember

_NOBODY = gettext_lazy(
    "Nobody can take this appointment. Choose another meeting method, service or location."
)
_NO_TIME = gettext_lazy("Choose one of the free times.")
# The page tells them; those of its own elements stand in the templates.
_ACCESS_KEYS = {"service": "s", "staff": "w", "notes": "n"}


class ContactForm(BookingBaseForm):
    """Who it is comes last: without a choice, whoever is free. A time is one of those that are offered."""

    nobody = _NOBODY

    staff = forms.ModelChoiceField(
        label=gettext_lazy("With"),
        queryset=StaffMember.objects.none(),
        required=False,
        empty_label=gettext_lazy("Anyone available"),
        error_messages={
            "invalid_choice": gettext_lazy("This person cannot take the appointment. Choose somebody else.")
        },
    )
    location = forms.ModelChoiceField(
        label=gettext_lazy("Location"),
        queryset=Location.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any location"),
    )
    # From when times are shown is no part of the booking: whatever stands there never refuses it.
    date = forms.Field(required=False, widget=DayField.widget)
    # Unix seconds, and whom the time was shown with: "1795626900-17".
    slot = forms.RegexField(
        r"^[0-9]{1,10}(-[0-9]{1,18})?$",
        error_messages=dict.fromkeys(("required", "invalid"), _NO_TIME),
    )
    field_order = ("request_key", "client", "service", "method", "location", "staff", "date", "slot", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["location"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy what stands above
        field.queryset = Location.objects.filter(organization=self.organization)
        field.choices = [("", field.empty_label), *((place.pk, place.name) for place in self.locations)]
        self.fields["notes"].widget.attrs["rows"] = 2
        for name, key in _ACCESS_KEYS.items():
            self.fields[name].widget.attrs["accesskey"] = key
        if self.chosen_client and not self.chosen_service:
            self.fields["service"].widget.attrs["autofocus"] = True

    @classmethod
    def only_looks(cls, sent: QueryDict) -> bool:
        """Enter goes on to what is missing, and books where nothing is."""
        return super().only_looks(sent) or "from" in sent or ("go" in sent and not sent.get("slot"))

    @classmethod
    def so_far(cls, sent: QueryDict) -> dict[str, str]:
        """With the day that a button asked for."""
        chosen = super().so_far(sent)
        return chosen | {"date": chosen["from"]} if chosen.get("from") else chosen

    # --- What is offered ----------------------------------------------------------------------------

    @cached_property
    def locations(self) -> list[Location]:
        """The places to choose from: for whom comes by, where there are several."""
        if self.chosen_method != MeetingMethod.AT_LOCATION:
            return []
        places = list(Location.objects.filter(organization=self.organization))
        return places if len(places) > 1 else []

    @cached_property
    def chosen_location(self) -> Location | None:
        """The place, where there is one to choose."""
        picked = self.picked("location")
        return next((place for place in self.locations if str(place.pk) == picked), None)

    @cached_property
    def people(self) -> StaffCandidates:
        """Those who work at the chosen place, or at none."""
        found, place = super().people, self.chosen_location
        if place is None:
            return found
        return StaffCandidates(
            able=[member for member in found.able if member.location_id in (place.pk, None)]
        )

    @cached_property
    def staff_problem(self) -> str:
        """Why the person who was picked cannot take it, also at the chosen place."""
        chosen, place = self.chosen_staff, self.chosen_location
        if chosen and place and chosen.location_id not in (place.pk, None):
            words = {"name": chosen.name, "place": place.name}
            return (
                _("%(name)s does not work at %(place)s. Choose somebody else, or another location.") % words
            )
        return super().staff_problem

    @cached_property
    def from_day(self) -> dt.date:
        """From when free times are shown."""
        return DayField.day_in(self.picked("date")) or timezone.localdate(timezone=self.zone)

    @property
    def is_no_day(self) -> bool:
        """Whether what stands in the date is none."""
        return bool(self.picked("date")) and DayField.day_in(self.picked("date")) is None

    @cached_property
    def times(self) -> FirstSlots | None:
        """The first free times of the chosen person, or of anyone; None before there is anything to look for."""
        if self.chosen_service is None or self.chosen_method is None or self.staff_problem:
            return None
        people = [self.chosen_staff] if self.chosen_staff else self.people.able
        return find_first_slots(
            self.chosen_service, people, self.from_day, self.zone, location=self.chosen_location
        )

    @property
    def says_where(self) -> bool:
        """Whether it matters where somebody works: the client comes by, and may go anywhere."""
        return bool(self.locations) and self.chosen_location is None

    @cached_property
    def their_zone(self) -> ZoneInfo:
        """The zone that the client reads times in."""
        chosen = self.chosen_client
        zone: ZoneInfo = (chosen.time_zone if chosen else None) or self.organization.time_zone
        return zone

    @property
    def picked_slot(self) -> int | None:
        """The time that is chosen, as unix seconds."""
        text = self.picked("slot").partition("-")[0]
        return int(text) if text.isdecimal() and len(text) < 19 else None

    @property
    def shown_with(self) -> StaffMember | None:
        """Whom the chosen time was shown with."""
        shown = self.picked("slot").partition("-")[2]
        return next((member for member in self.people.able if str(member.pk) == shown), None)

    # --- What was entered ---------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at` (UTC) and `location`, the place where the client comes by."""
        cleaned = super().clean()
        if cleaned.get("slot") and self.picked_slot is not None:
            cleaned["starts_at"] = dt.datetime.fromtimestamp(self.picked_slot, dt.UTC)
        if not self.has_error("location"):
            cleaned["location"] = self.chosen_location
        if cleaned.get("method") and not self.people.able and not self.has_error("staff"):
            self.add_error("staff", _NOBODY)
        return cleaned

    def add_booking_error(self, refusal: BookingError) -> None:
        """Say why beside the field; where it is about the time, its day is shown with what is free."""
        client = "new_name" if self.adds_client else "client"
        field = {"starts_at": "slot", "client": client}.get(refusal.field, refusal.field)
        self.add_error(field if field in self.fields else None, refusal.sentence)
        if field == "slot":
            self.from_day = self.cleaned_data["starts_at"].astimezone(self.zone).date()

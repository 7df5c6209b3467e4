"""Booking form of the Contact Center: first free slots of any staff member, or of a chosen one."""

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

from appointments.availability.first_slots import FirstSlots, FreeDay, FreeTime, find_first_slots
from appointments.availability.staff_pool import StaffPool
from appointments.booking.candidates import StaffCandidates
from appointments.booking.working_places import working_places
from appointments.booking_rules.errors import BookingError
from appointments.client_view.branches import MANY_BRANCHES, Branch, branches_of, matching_locations
from appointments.dates import DayField
from appointments.forms.booking_base import BookingBaseForm
from appointments.parameters import IdField, clean_or_none
from appointments.time_zones import other_local_time
from services.models import MeetingMethod
from staff.models import Location, StaffMember

_NO_STAFF = gettext_lazy("Nobody can take this appointment. Choose another meeting method, service or location.")
_NO_SLOT = gettext_lazy("Choose one of the free times.")
# The page lists them. Templates set the access keys of their own elements.
_ACCESS_KEYS = {"service": "s", "staff": "w", "notes": "n"}


class ContactCenterForm(BookingBaseForm):
    """Books a slot that the page offers, with any staff member unless one is chosen."""

    no_staff = _NO_STAFF

    staff = forms.ModelChoiceField(
        label=gettext_lazy("With"),
        queryset=StaffMember.objects.none(),
        required=False,
        empty_label=gettext_lazy("Anyone available"),
        error_messages={
            "invalid_choice": gettext_lazy("This person cannot take the appointment. Choose someone else.")
        },
    )
    location = forms.ModelChoiceField(
        label=gettext_lazy("Location"),
        queryset=Location.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any location"),
    )
    # Narrows the choices of `location`; it isn't part of the booking.
    location_words = forms.CharField(
        label=gettext_lazy("Search locations"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": gettext_lazy("Name, city or postal code")}),
    )
    # The first day of the list isn't part of the booking: it is never invalid.
    date = forms.Field(required=False, widget=DayField.widget)
    # Unix seconds, and the id of the staff member that the slot was shown with: "1795626900-17".
    slot = forms.RegexField(
        r"^[0-9]{1,10}(-[0-9]{1,18})?$",
        error_messages=dict.fromkeys(("required", "invalid"), _NO_SLOT),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["location"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = self.organization.locations.active()
        field.choices = [("", field.empty_label), *((place.pk, place.name) for place in self.offered_locations)]
        self.fields["notes"].widget.attrs["rows"] = 2
        for name, key in _ACCESS_KEYS.items():
            self.fields[name].widget.attrs["accesskey"] = key
        if self.client_group.chosen_client and not self.chosen_service:
            self.fields["service"].widget.attrs["autofocus"] = True

    @classmethod
    def is_preview(cls, sent: QueryDict) -> bool:
        """Return whether the submit only updates the choices: Enter (`go`) books once a slot is chosen."""
        return super().is_preview(sent) or "from" in sent or ("go" in sent and not sent.get("slot"))

    @classmethod
    def choices_so_far(cls, sent: QueryDict) -> dict[str, str]:
        """Return the submitted values by field, with the day of a "more times" button."""
        chosen = super().choices_so_far(sent)
        return chosen | {"date": chosen["from"]} if chosen.get("from") else chosen

    # --- Choices ------------------------------------------------------------------------------------

    @cached_property
    def locations(self) -> list[Location]:
        """Return the locations to choose from: for a meeting at a location, if there are several."""
        if self.chosen_method != MeetingMethod.AT_LOCATION:
            return []
        locations = list(self.organization.locations.active())
        return locations if len(locations) > 1 else []

    @property
    def has_location_search(self) -> bool:
        return len(self.locations) > MANY_BRANCHES

    @cached_property
    def found_locations(self) -> list[Location]:
        """Return the locations that match the search; all of them without one."""
        words = self.picked("location_words")
        return matching_locations(self.locations, words) if words else self.locations

    @property
    def offered_locations(self) -> list[Location]:
        """Return the choices: the matches, or all locations if nothing matches, and the chosen one."""
        offered = {place.pk for place in self.found_locations or self.locations}
        return [place for place in self.locations if place.pk in offered or place == self.chosen_location]

    @cached_property
    def chosen_location(self) -> Location | None:
        """Return the chosen location; None if there is no choice."""
        picked = self.picked("location")
        return next((place for place in self.locations if str(place.pk) == picked), None)

    @cached_property
    def branch(self) -> Branch | None:
        """Return the chosen location with its hours."""
        location = self.chosen_location
        return branches_of([location], self.organization.first_weekday)[0] if location else None

    @cached_property
    def people(self) -> StaffCandidates:
        """Return the candidates who work at the chosen location, or at none."""
        found, location = super().people, self.chosen_location
        if location is None and self.chosen_method == MeetingMethod.AT_LOCATION:
            active = {None, *self.organization.locations.active().values_list("pk", flat=True)}
            return StaffCandidates(able=found.able.only(each for each in found.able if each.location_id in active))
        if location is None:
            return found
        places = working_places(found.able, self.chosen_service)
        return StaffCandidates(able=found.able.only(places.at(location, found.able)))

    @cached_property
    def staff_problem(self) -> str:
        """Return why the picked staff member can't take the appointment at the chosen location."""
        chosen, location = self.chosen_staff, self.chosen_location
        if chosen and location and not working_places([chosen], self.chosen_service).includes(chosen, location):
            names = {"name": chosen.name, "place": location.name}
            return _("%(name)s does not work at %(place)s. Choose someone else, or another location.") % names
        if chosen and chosen.location and not location and self.chosen_method == MeetingMethod.AT_LOCATION:
            names = {"name": chosen.name, "place": chosen.location.name}
            closed = _("%(place)s, where %(name)s works, takes no new appointments. Choose someone else.") % names
            return super().staff_problem if chosen.location.active else closed
        return super().staff_problem

    @property
    def other_locations_text(self) -> str:
        """Return a sentence if the chosen staff member works at other locations than the one whose times show."""
        chosen = self.chosen_staff
        if chosen is None or chosen.location is None or not self.shows_locations:
            return ""
        places = working_places([chosen], self.chosen_service).locations()
        names = ", ".join(place.name for place in places if place != chosen.location)
        sentence = _("%(name)s also works at %(places)s. Choose a location to see the times there.")
        return sentence % {"name": chosen.name, "places": names} if names else ""

    @cached_property
    def from_day(self) -> dt.date:
        """Return the first day of the slots to show."""
        day: dt.date | None = clean_or_none(DayField(), self.picked("date"))
        return day or timezone.localdate(timezone=self.zone)

    @property
    def has_invalid_date(self) -> bool:
        """Return whether the date was filled in with something that isn't a date."""
        return bool(self.picked("date")) and clean_or_none(DayField(), self.picked("date")) is None

    @cached_property
    def times(self) -> FirstSlots | None:
        """Return the first free slots of the chosen staff member, or of any; None while a choice is missing."""
        if self.chosen_service is None or self.chosen_method is None or self.staff_problem:
            return None
        people = StaffPool.of([self.chosen_staff]) if self.chosen_staff else self.people.able
        return find_first_slots(
            self.chosen_service,
            people,
            self.from_day,
            self.zone,
            method=self.chosen_method,
            location=self.chosen_location,
        )

    @property
    def shows_locations(self) -> bool:
        """Return whether each slot names its location: the client comes by, and any location will do."""
        return bool(self.locations) and self.chosen_location is None

    @property
    def is_in_person(self) -> bool:
        """Return whether the client comes to a location, whose clock counts."""
        return self.chosen_method == MeetingMethod.AT_LOCATION

    @cached_property
    def free_days(self) -> list[tuple[FreeDay, list[tuple[FreeTime, str]]]]:
        """Return each day with its slots, and the time of each slot on the other clock (see `_other_time`)."""
        days = self.times.days if self.times else []
        return [(day, [(free, self._other_time(free)) for free in day.times]) for day in days]

    @property
    def shows_other_times(self) -> bool:
        """Return whether any slot has another time on the other clock."""
        return any(other for _day, slots in self.free_days for _free, other in slots)

    def _other_time(self, free: FreeTime) -> str:
        """Return a slot's time at its location, or else for the client; "" if it is the scheduler's own."""
        place = self.chosen_location or free.member.location
        if self.is_in_person:
            return other_local_time(free.starts_at, place.time_zone) if place else ""
        return other_local_time(free.starts_at, self.client_zone)

    @cached_property
    def client_zone(self) -> ZoneInfo:
        chosen = self.client_group.chosen_client
        zone: ZoneInfo = (chosen.time_zone if chosen else None) or self.organization.time_zone
        return zone

    @property
    def picked_slot(self) -> int | None:
        """Return the start of the chosen slot, in unix seconds."""
        start: int | None = clean_or_none(IdField(), self.picked("slot").partition("-")[0])
        return start

    @property
    def shown_with(self) -> StaffMember | None:
        """Return the staff member that the chosen slot was shown with."""
        shown = self.picked("slot").partition("-")[2]
        return next(iter(self.people.able.load([int(shown)])), None) if shown else None

    # --- Input --------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """Add `location`, the chosen location of a meeting at a location."""
        cleaned = super().clean()
        if not self.has_error("location"):
            cleaned["location"] = self.chosen_location
        if cleaned.get("method") and not self.people.able and not self.has_error("staff"):
            self.add_error("staff", _NO_STAFF)
        return cleaned

    @property
    def starts_at(self) -> dt.datetime:
        """Return the start of the chosen slot, in UTC."""
        return dt.datetime.fromtimestamp(self.picked_slot or 0, dt.UTC)

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to its field; an error of the time shows the slots of that day."""
        field = self.error_field(error, start="slot")
        self.add_error(field, error.sentence)
        if field == "slot":
            self.from_day = self.starts_at.astimezone(self.zone).date()

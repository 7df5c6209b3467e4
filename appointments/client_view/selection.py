"""Choices of a client in the Client View. The address holds all of them; the server remembers none."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from appointments.availability.month_view import Month, month_with_times
from appointments.availability.staff_pool import PoolMember, StaffPool
from appointments.booking.candidates import bookable_pool
from appointments.booking.working_places import WorkingPlaces, working_places
from appointments.client_view.offers import MethodOption, ServiceOffer, public_services
from appointments.client_view.slots import NotOffered
from appointments.dates import DayField
from appointments.parameters import IdField, UnixTimeField, ZoneField
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember


class SelectionForm(forms.Form):
    """Parameters of the Client View. An invalid value reads as None, like a missing one."""

    service = IdField(required=False)
    method = IdField(required=False)
    location = IdField(required=False)
    staff = IdField(required=False)
    start = UnixTimeField(required=False)
    day = DayField(required=False)
    month = DayField(required=False, input_formats=["%Y-%m"])
    zone = ZoneField(required=False)
    q = forms.CharField(required=False, max_length=100)
    proof = forms.CharField(required=False, max_length=200)

    def __init__(self, address: QueryDict) -> None:
        super().__init__(address)
        self.full_clean()

    def value(self, name: str) -> Any:
        """Return the value of a parameter; None if it is missing or invalid."""
        return self.cleaned_data.get(name)

    def has(self, name: str) -> bool:
        """Return whether the address has this parameter, valid or not."""
        return bool(self.data.get(name))


class ClientSelection:
    """Choices of a client, checked when they are read. A choice that clients can't make raises NotOffered."""

    def __init__(self, organization: Organization, address: QueryDict) -> None:
        self.organization = organization
        self._parameters = SelectionForm(address)

    @cached_property
    def service(self) -> Service | None:
        if not self._parameters.has("service"):
            return None
        found = public_services(self.organization).filter(pk=self._parameters.value("service")).first()
        if found is None:
            raise NotOffered(_("This cannot be booked here. Choose another service."))
        found.organization = self.organization
        return found

    @cached_property
    def method(self) -> MeetingMethod | None:
        """Return the chosen method; a single option needs no choice."""
        if not self._parameters.has("method"):
            return self.options[0].method if len(self.options) == 1 else None
        chosen = self._parameters.value("method")
        found = next((method for method in self._offer.methods if method == chosen), None)
        # A chosen staff member is checked by `staff`.
        if found is None or not (self._parameters.has("staff") or self._offer.has_candidates(found)):
            raise NotOffered(_("This is not offered this way. Choose another meeting method."))
        return found

    @cached_property
    def staff(self) -> StaffMember | None:
        """Return the chosen staff member; None for any staff."""
        if not self._parameters.has("staff"):
            return None
        pk = self._parameters.value("staff")
        found = None if pk is None or self.method is None else self._offer.candidate(self.method, pk)
        if found is None:
            raise NotOffered(_("No staff member of this number takes this appointment. Choose someone else."))
        chosen = self._parameters.value("location")
        in_person = self.method == MeetingMethod.AT_LOCATION
        if chosen and in_person and not working_places([found], self.service).includes(found, chosen):
            raise NotOffered(_("%(name)s doesn’t work at this location. Choose someone else.") % {"name": found.name})
        return found

    @cached_property
    def locations(self) -> list[Location]:
        """Return the locations where candidates of an in-person appointment work, by name; empty for other methods."""
        if self.method != MeetingMethod.AT_LOCATION:
            return []
        return self._places.locations()

    @cached_property
    def _places(self) -> WorkingPlaces:
        """Return where the candidates of an in-person appointment can be booked."""
        return working_places(self._offer.candidates(MeetingMethod.AT_LOCATION), self.service)

    @cached_property
    def location(self) -> Location | None:
        """Return the chosen location, that of the chosen staff member, or the only one; None without a choice."""
        if self._parameters.has("location") and self.method == MeetingMethod.AT_LOCATION:
            pk = self._parameters.value("location")
            found = self.organization.locations.active().filter(pk=pk).first()
            if found is None or not self._people_at(found):
                raise NotOffered(_("This can’t be booked at this location. Choose another one."))
            return found
        if self.method == MeetingMethod.AT_LOCATION and self.staff and self.staff.location:
            return self.staff.location
        return self.locations[0] if len(self.locations) == 1 else None

    @property
    def words(self) -> str:
        """Return what the client searches among the locations."""
        return self._parameters.value("q") or ""

    @property
    def needs_location(self) -> bool:
        """Return whether the client must choose a location before the time."""
        return self.location is None and len(self.locations) > 1

    @cached_property
    def _offer(self) -> ServiceOffer:
        return ServiceOffer(self.service)

    @property
    def options(self) -> list[MethodOption]:
        return self._offer.options

    @cached_property
    def people(self) -> list[PoolMember]:
        """Return the staff members to choose from, by name."""
        return sorted(self.pool, key=lambda member: member.name.casefold())

    @cached_property
    def pool(self) -> StaffPool:
        """Return the staff members to choose from."""
        if self.method is None:
            return StaffPool()
        if self.location is None or self.method != MeetingMethod.AT_LOCATION:
            return self._offer.candidates(self.method)
        return self._people_at(self.location)

    def _people_at(self, location: Location) -> StaffPool:
        if self.service is None:
            return StaffPool()
        return bookable_pool(self.service, MeetingMethod.AT_LOCATION, location=location)

    @property
    def candidates(self) -> StaffPool:
        """Return the chosen staff member, or all candidates."""
        return StaffPool.of([self.staff]) if self.staff else self.pool

    @cached_property
    def zone(self) -> ZoneInfo:
        """Return the zone of an in-person appointment's location, else the chosen one, or the organisation's."""
        if self.location:
            fixed: ZoneInfo = self.location.time_zone
            return fixed
        return self.own_zone

    @property
    def own_zone(self) -> ZoneInfo:
        """Return the chosen time zone, else that of the organisation. It is the client's, wherever they come to."""
        zone: ZoneInfo = self._parameters.value("zone") or self.organization.time_zone
        return zone

    @property
    def mailbox_proof(self) -> str:
        """Return the proof that the visitor came from a private link in an email; "" without one."""
        return self._parameters.value("proof") or ""

    @property
    def zone_is_unknown(self) -> bool:
        """Return whether the address names a time zone that doesn't exist."""
        return self._parameters.has("zone") and self._parameters.value("zone") is None

    @cached_property
    def starts_at(self) -> datetime | None:
        """Return the chosen start, in UTC."""
        start: datetime | None = self._parameters.value("start")
        return start

    @cached_property
    def month(self) -> Month | None:
        """Return the month view: of the chosen month, else of the next free slot."""
        if self.service is None or self.method is None:
            return None
        return month_with_times(
            self.service,
            self.candidates,
            self.zone,
            month=self._parameters.value("month"),
            day=self._parameters.value("day"),
            method=self.method,
            location=self.location,
        )

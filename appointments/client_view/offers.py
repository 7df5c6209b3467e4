"""Services, meeting methods and staff that the Client View offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import available_timezones

from django.db.models import Prefetch, QuerySet

from appointments.availability.staff_pool import StaffPool
from appointments.booking.candidates import bookable_pool, bookable_staff, can_be_booked
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service
from staff.models import Organization, StaffMember


def public_services(organization: Organization) -> QuerySet[Service]:
    """Return the services that clients can book, by category and name, with the methods offered to clients."""
    offered = MeetingMethodOffer.objects.filter(offered_to=OfferedTo.STAFF_AND_CLIENTS)
    return (
        organization.services.public()
        .order_by("category", "name")
        .prefetch_related(Prefetch("meeting_methods", offered, to_attr="offers_to_clients"))
    )


@dataclass(frozen=True)
class MethodOption:
    """Meeting method that clients can book."""

    method: MeetingMethod


class ServiceOffer:
    """Meeting methods and staff of one service. Candidates are queried once per method."""

    def __init__(self, service: Service | None) -> None:
        self._service = service
        self._candidates: dict[MeetingMethod, StaffPool] = {}

    @cached_property
    def methods(self) -> list[MeetingMethod]:
        """Return the methods offered to clients, whether or not a staff member can take them."""
        if self._service is None:
            return []
        return [MeetingMethod(offer.method) for offer in self._service.offers_to_clients]  # type: ignore[attr-defined]

    @cached_property
    def options(self) -> list[MethodOption]:
        """Return the methods that at least one staff member can take."""
        return [MethodOption(method) for method in self.methods if self.has_candidates(method)]

    def has_candidates(self, method: MeetingMethod) -> bool:
        """Return whether a staff member can take the service with this method."""
        if self._service is None:
            return False
        if method in self._candidates:
            return bool(self._candidates[method])
        return can_be_booked(self._service, method)

    def candidates(self, method: MeetingMethod) -> StaffPool:
        """Return the staff members who can take the service with this method."""
        if self._service is None:
            return StaffPool()
        if method not in self._candidates:
            self._candidates[method] = bookable_pool(self._service, method)
        return self._candidates[method]

    def candidate(self, method: MeetingMethod, pk: int) -> StaffMember | None:
        """Return this staff member if they can take the service; doesn't query all candidates."""
        if self._service is None:
            return None
        return next(iter(bookable_staff(self._service, method, only=pk)), None)


@lru_cache
def zones_by_region() -> dict[str, list[tuple[str, str]]]:
    """Return the time zones of places as (key, place), by region."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for key in sorted(available_timezones()):
        region, _slash, place = key.partition("/")
        if place and region not in ("Etc", "SystemV", "posix", "right"):
            regions.setdefault(region, []).append((key, place.replace("_", " ").replace("/", " – ")))
    return regions

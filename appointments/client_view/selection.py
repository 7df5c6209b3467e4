"""What clients choose on the public page, step by step: everything stands in the address, nothing is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.db.models import Prefetch, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from appointments.availability.month_view import Month, month_with_times
from appointments.booking.candidates import bookable_staff
from appointments.client_view.slots import NotOffered
from appointments.dates import DayField
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service
from staff.models import Organization, StaffMember

_MOST_DIGITS = 18
# The last moment that is looked at: the year 2200.
_LAST_MOMENT = 7_258_118_400


def public_services(organization: Organization) -> QuerySet[Service]:
    """What clients can book here, by category and name, each with the methods that clients are offered."""
    offered = MeetingMethodOffer.objects.filter(offered_to=OfferedTo.STAFF_AND_CLIENTS)
    return (
        Service.objects.filter(
            organization=organization,
            active=True,
            public=True,
            meeting_methods__offered_to=OfferedTo.STAFF_AND_CLIENTS,
        )
        .distinct()
        .order_by("category", "name")
        .prefetch_related(Prefetch("meeting_methods", offered, to_attr="offers_to_clients"))
    )


@dataclass(frozen=True)
class MethodOption:
    """A meeting method that can be booked, and who can take it."""

    method: MeetingMethod
    people: list[StaffMember]


class ClientSelection:
    """What somebody chose so far. Raises NotOffered, when it is looked at, where there is no such thing here."""

    def __init__(self, organization: Organization, address: QueryDict) -> None:
        self.organization = organization
        self._address = address
        # Who can take the service, by meeting method.
        self._known: dict[MeetingMethod, list[StaffMember]] = {}

    @cached_property
    def service(self) -> Service | None:
        """The chosen service."""
        text = self._address.get("service")
        if not text:
            return None
        found = public_services(self.organization).filter(pk=_number(text)).first()
        if found is None:
            raise NotOffered(_("This cannot be booked here. Choose another service."))
        found.organization = self.organization
        return found

    @cached_property
    def ways(self) -> list[MethodOption]:
        """How the service can be booked: only where somebody can take it that way."""
        ways = [MethodOption(method, self._able(method)) for method in self._methods]
        return [way for way in ways if way.people]

    @cached_property
    def method(self) -> MeetingMethod | None:
        """The chosen one; where it is the only one, without asking."""
        text = self._address.get("method")
        if not text:
            return self.ways[0].method if len(self.ways) == 1 else None
        number = _number(text)
        found = next((method for method in self._methods if method == number), None)
        # Whether the one who was chosen can take it is looked at below: nobody else need be asked for.
        if found is None or not (self._address.get("staff") or self._able(found)):
            raise NotOffered(_("This is not offered this way. Choose another meeting method."))
        return found

    @cached_property
    def people(self) -> list[StaffMember]:
        """Who can take it, by name."""
        found = self._able(self.method) if self.method else []
        return sorted(found, key=lambda member: member.name.casefold())

    @cached_property
    def staff(self) -> StaffMember | None:
        """The chosen person; None for anyone."""
        text = self._address.get("staff")
        if not text:
            return None
        found = self._only(_number(text))
        if found is None:
            raise NotOffered(_("Nobody of that number takes this appointment. Choose somebody else."))
        return found

    @property
    def _methods(self) -> list[MeetingMethod]:
        if self.service is None:
            return []
        return [MeetingMethod(offer.method) for offer in self.service.offers_to_clients]  # type: ignore[attr-defined]

    def _able(self, method: MeetingMethod) -> list[StaffMember]:
        if self.service is None:
            return []
        if method not in self._known:
            self._known[method] = bookable_staff(self.service, method)
        return self._known[method]

    def _only(self, staff: int) -> StaffMember | None:
        if self.service is None or self.method is None:
            return None
        if self.method not in self._known:
            return next(iter(bookable_staff(self.service, self.method, only=staff)), None)
        return next((member for member in self._able(self.method) if member.pk == staff), None)

    @property
    def candidates(self) -> list[StaffMember]:
        """With whom it would be: the chosen person, or anyone."""
        return [self.staff] if self.staff else self.people

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone that times are shown in."""
        zone: ZoneInfo = zone_named(self._address.get("zone", "")) or self.organization.time_zone
        return zone

    @property
    def zone_is_unknown(self) -> bool:
        """Whether a zone was asked for that there is not."""
        text = self._address.get("zone", "")
        return bool(text) and zone_named(text) is None

    @cached_property
    def starts_at(self) -> datetime | None:
        """The chosen time, in UTC."""
        return moment_in(self._address.get("start", ""))

    @cached_property
    def month(self) -> Month | None:
        """The month to choose a time from: the one that is asked for, or the one of the next free time."""
        if self.service is None or self.method is None:
            return None
        return month_with_times(
            self.service,
            self.candidates,
            self.zone,
            month=_first_of_month(self._address.get("month", "")),
            day=DayField.day_in(self._address.get("day", "")),
        )


def moment_in(text: str) -> datetime | None:
    """The moment of unix seconds; None where there is none."""
    seconds = _number(text)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LAST_MOMENT else None


def zone_named(text: str) -> ZoneInfo | None:
    """The time zone of this name; None where there is none."""
    # A key is looked up as a file: what is none of the zones may be a folder, or no path at all.
    try:
        return ZoneInfo(text) if text else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache
def zones_by_region() -> dict[str, list[tuple[str, str]]]:
    """Every zone with a place, as (key, place), by its part of the world."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for key in sorted(available_timezones()):
        region, _slash, place = key.partition("/")
        if place and region not in ("Etc", "SystemV", "posix", "right"):
            regions.setdefault(region, []).append((key, place.replace("_", " ").replace("/", " – ")))
    return regions


def _number(text: str) -> int:
    """The number in the text; 0, which nothing has, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _first_of_month(text: str) -> date | None:
    return DayField.day_in(f"{text}-01") if text else None

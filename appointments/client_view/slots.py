"""The free times that the public page offers: what is asked for in the address, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.slots import free_slots
from appointments.booking.candidates import bookable_staff
from appointments.dates import DayField
from services.models import OfferedTo, Service

_MOST_DAYS = 62
_MOST_DIGITS = 18


class BadAddress(ValueError):
    """The address asks for nothing that there could be. The text is a sentence."""


class NotOffered(LookupError):
    """There is no such thing here, or clients are not offered it. The text is a sentence."""


@dataclass(frozen=True)
class SlotsQuery:
    """What somebody on the public page chose so far; `staff` is None for anyone, `zone` for the organisation's."""

    slug: str
    service: int
    method: int
    staff: int | None
    first_day: datetime | None
    days: int
    zone: ZoneInfo | None

    @classmethod
    def of_address(cls, slug: str, address: QueryDict) -> Self:
        """Read `service`, `method`, `staff`, `from`, `days` and `zone`. Raises BadAddress."""
        days = _number(address, "days", "31")
        if not 1 <= days <= _MOST_DAYS:
            raise BadAddress(_("Ask for 1 to %(days)s days at once.") % {"days": _MOST_DAYS})
        return cls(
            slug=slug,
            service=_number(address, "service"),
            method=_number(address, "method"),
            staff=_number(address, "staff") if address.get("staff") else None,
            first_day=_day(address.get("from", "")),
            days=days,
            zone=_zone(address.get("zone", "")),
        )


def slots_for_clients(wish: SlotsQuery) -> list[int]:
    """The unix seconds, ascending, at which a client can book it: with the person, or with anybody. Raises NotOffered.

    Days are days of the wish's zone. A constant number of queries.
    """
    service = _offered_service(wish)
    people = bookable_staff(service, wish.method, only=wish.staff)
    if wish.staff is not None and not people:
        raise NotOffered(_("Nobody of that number takes this appointment. Choose somebody else."))
    zone = wish.zone or service.organization.time_zone
    start = _midnight(wish.first_day or timezone.now().astimezone(zone), zone)
    end = _midnight(start + timedelta(days=wish.days), zone)
    slots = free_slots(service, people, start, end, for_clients=True)
    return sorted(set().union(*slots.values()))


def _offered_service(wish: SlotsQuery) -> Service:
    service = (
        Service.objects.select_related("organization")
        .filter(
            pk=wish.service,
            organization__slug=wish.slug,
            active=True,
            public=True,
            meeting_methods__method=wish.method,
            meeting_methods__offered_to=OfferedTo.STAFF_AND_CLIENTS,
        )
        .first()
    )
    if service is None:
        raise NotOffered(_("This cannot be booked here. Choose another service or meeting method."))
    return service


def _number(address: QueryDict, name: str, default: str = "") -> int:
    text = address.get(name, default)
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadAddress(_("“%(name)s” must be a number.") % {"name": name})
    return int(text)


def _day(text: str) -> datetime | None:
    if not text:
        return None
    day = DayField.day_in(text)
    if day is None:
        raise BadAddress(_("Enter a date such as 2026-12-31."))
    return datetime.combine(day, time(0))


def _zone(text: str) -> ZoneInfo | None:
    # A key is looked up as a file: what is none of the zones may be a folder, or no path at all.
    try:
        return ZoneInfo(text) if text else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadAddress(_("There is no time zone of this name.")) from None


def _midnight(day: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(day.date(), time(0), zone)

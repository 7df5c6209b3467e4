"""Free slots of the Client View, for its script and for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.staff_pool import StaffPool
from appointments.booking.candidates import bookable_pool, bookable_staff
from appointments.booking.working_places import working_places
from appointments.dates import DayField
from appointments.parameters import IdField, ZoneField
from services.models import MeetingMethod, Service
from staff.models import Location

_DAYS = 31
_MOST_DAYS = 62


class InvalidQuery(ValueError):
    """A parameter is missing or invalid. The text is a sentence."""


class NotOffered(LookupError):
    """The choice doesn't exist, or clients can't book it. The text is a sentence."""


class SlotsQueryForm(forms.Form):
    """Parameters `days`, `service`, `method`, `location`, `staff`, `from` and `zone`."""

    days = IdField(required=False)
    service = IdField()
    method = IdField()
    location = IdField(required=False)
    staff = IdField(required=False)
    zone = ZoneField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `from` is a keyword of Python, so the class can't declare it.
        self.fields["from"] = DayField(required=False)
        for name in ("days", "service", "method", "location", "staff"):
            sentence = _("“%(name)s” must be a number.") % {"name": name}
            self.fields[name].error_messages |= {"required": sentence, "invalid": sentence}
        sentence = _("Ask for 1 to %(days)s days at once.") % {"days": _MOST_DAYS}
        self.fields["days"].validators += [
            MinValueValidator(1, sentence),
            MaxValueValidator(_MOST_DAYS, sentence),
        ]


@dataclass(frozen=True)
class SlotsQuery:
    """Query for free slots.

    Without `location`, slots at any location; without `staff`, of any staff; without `zone`, days of the
    organisation's zone.
    """

    slug: str
    service: int
    method: int
    location: int | None
    staff: int | None
    first_day: date | None
    days: int
    zone: ZoneInfo | None

    @classmethod
    def of_address(cls, slug: str, address: QueryDict) -> Self:
        """Read the query from the address. Raises InvalidQuery."""
        form = SlotsQueryForm(address)
        if not form.is_valid():
            raise InvalidQuery(next(error for errors in form.errors.values() for error in errors))
        values = dict(form.cleaned_data)
        days, first_day = values.pop("days"), values.pop("from")
        return cls(slug=slug, first_day=first_day, days=_DAYS if days is None else days, **values)


def slots_for_clients(query: SlotsQuery) -> list[int]:
    """Return the starts, as ascending unix seconds, that a client can book. Raises NotOffered.

    Days are days of the query's zone. A constant number of database queries.
    """
    service = _offered_service(query)
    location = _location_of(query, service)
    people = _people_of(query, service, location)
    zone = query.zone or service.organization.time_zone
    first_day = query.first_day or timezone.localdate(timezone=zone)
    search = AnyStaffSearch(service, people, zone, for_clients=True, method=query.method, location=location)
    return search.starts_between(first_day, first_day + timedelta(days=query.days - 1))


def _people_of(query: SlotsQuery, service: Service, location: Location | None) -> StaffPool:
    if query.staff is None:
        people = bookable_pool(service, query.method, location=location)
    else:
        people = StaffPool.of(bookable_staff(service, query.method, only=query.staff))
        if not people:
            raise NotOffered(_("No staff member of this number takes this appointment. Choose someone else."))
        if location is not None:
            people = people.only(working_places(people, service).at(location, people))
    if location is not None and not people:
        raise NotOffered(_("This can’t be booked at this location. Choose another one."))
    return people


def _location_of(query: SlotsQuery, service: Service) -> Location | None:
    """Return the location of an in-person query; None for any."""
    if query.location is None or query.method != MeetingMethod.AT_LOCATION:
        return None
    found = Location.objects.active().filter(pk=query.location, organization=service.organization_id).first()
    if found is None:
        raise NotOffered(_("This can’t be booked at this location. Choose another one."))
    return found


def _offered_service(query: SlotsQuery) -> Service:
    offered = Service.objects.public(query.method).select_related("organization")
    try:
        return offered.get(pk=query.service, organization__slug=query.slug)
    except Service.DoesNotExist:
        sentence = _("This cannot be booked here. Choose another service or meeting method.")
        raise NotOffered(sentence) from None

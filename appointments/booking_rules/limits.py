"""Most bookings of a service per client, and per staff member and day. The caller holds the locks that make them hold.

A refusal of a client's booking reads like that of a taken time. Otherwise a visitor who types the email of another
person would learn of that person's appointments.
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.daily_limits import booked_on_day
from appointments.availability.start_times import start_zone
from appointments.booking_rules.errors import ClientLimitReached, DayFull, TimeTaken
from appointments.booking_rules.validation import SlotRequest, taken_sentence
from appointments.models import Appointment, BookedThrough, Client
from services.models import Service


def lock_service_with_client_limits(service: Service, through: str) -> None:
    """Lock the service if its limits per client apply, before any other row.

    A lock of the client isn't enough: two bookings with one email address may add a client each.
    """
    if _has_client_limits(service) and through == BookedThrough.CLIENT_VIEW:
        Service.objects.lock(service.pk)


def check_client_limits(request: SlotRequest, client: Client) -> None:
    """Check the limits per client in the Client View. Only bookings made there count.

    Raises ClientLimitReached. Takes as many queries for a known email address as for an unknown one.
    """
    if not request.by_client or not _has_client_limits(request.service):
        return
    per_day, upcoming = request.service.most_per_client_and_day, request.service.most_upcoming_per_client
    zone = start_zone(request.staff, request.location)
    same_day = _of_client(booked_on_day(request.service, request.starts_at, zone), request, client)
    ahead = Appointment.objects.busy().filter(service=request.service, starts_at__gt=timezone.now()).order_by()
    is_over = per_day is not None and same_day.count() >= per_day
    # Moving an appointment adds none.
    if upcoming is not None and request.ignoring is None:
        is_over |= _of_client(ahead, request, client).count() >= upcoming
    if is_over:
        raise ClientLimitReached(taken_sentence(request))


def check_daily_limit(request: SlotRequest) -> None:
    """Check the limit per staff member and day. Staff may exceed it as they may book outside working hours.

    Raises DayFull, and TimeTaken for a client.
    """
    limit = request.service.most_per_person_and_day
    if limit is None or request.may_be_outside_hours or not exceeds_daily_limit(request, limit):
        return
    if request.by_client:
        raise TimeTaken(taken_sentence(request))
    sentence = _("%(name)s has reached the limit of appointments for “%(service)s” that day. Choose another day.")
    raise DayFull(sentence % {"name": request.staff.name, "service": request.service.name})


def exceeds_daily_limit(request: SlotRequest, limit: int) -> bool:
    """Return whether the staff member already has so many appointments of the service that day."""
    zone = start_zone(request.staff, request.location)
    booked = booked_on_day(request.service, request.starts_at, zone).filter(staff=request.staff)
    return _without_moving(booked, request).count() >= limit


def _has_client_limits(service: Service) -> bool:
    return service.most_per_client_and_day is not None or service.most_upcoming_per_client is not None


def _of_client(booked: QuerySet[Appointment], request: SlotRequest, client: Client) -> QuerySet[Appointment]:
    """Return the appointments that were booked in the Client View with the client's email address."""
    known = Client.objects.with_email(client.email).filter(organization=client.organization_id)
    return _without_moving(booked, request).filter(booked_through=BookedThrough.CLIENT_VIEW, client__in=known)


def _without_moving(booked: QuerySet[Appointment], request: SlotRequest) -> QuerySet[Appointment]:
    return booked if request.ignoring is None else booked.exclude(pk=request.ignoring.pk)

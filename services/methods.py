"""Meeting methods in which a service is offered."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from services.audit import record_methods
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service
from staff.planned_changes import Cause, PlannedChange


def offers_of(service: Service) -> dict[MeetingMethod, OfferedTo]:
    """Return the service's meeting methods, each with its `OfferedTo`."""
    return {MeetingMethod(offer.method): OfferedTo(offer.offered_to) for offer in service.meeting_methods.all()}


def set_methods(service: Service, wanted: Mapping[MeetingMethod, OfferedTo]) -> list[PlannedChange]:
    """Offer the service in exactly these methods. Return what that takes away from booked appointments.

    Unchanged rows are not written.
    """
    with transaction.atomic():
        Service.objects.lock(service.pk)
        present = {offer.method: offer for offer in service.meeting_methods.all()}
        before = {MeetingMethod(offer.method): OfferedTo(offer.offered_to) for offer in present.values()}
        service.meeting_methods.exclude(method__in=list(wanted)).delete()
        for method, offered_to in wanted.items():
            _save_offer(service, method, offered_to, present.get(method))
        record_methods(service, before, wanted)
    removed = tuple(int(method) for method in before.keys() - wanted.keys())
    change = PlannedChange(service.organization, Cause.METHOD_OFF, services=(service.pk,), methods=removed)
    return [change] if removed else []


def _save_offer(
    service: Service, method: MeetingMethod, offered_to: OfferedTo, offer: MeetingMethodOffer | None
) -> None:
    if offer is None:
        MeetingMethodOffer.objects.create(service=service, method=method, offered_to=offered_to)
    elif offer.offered_to != offered_to:
        offer.offered_to = offered_to
        offer.save(update_fields=["offered_to"])

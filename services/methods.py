"""In which meeting methods a service is offered, and to whom."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service


def offers_of(service: Service) -> dict[MeetingMethod, OfferedTo]:
    """The methods that the service is offered in."""
    return {
        MeetingMethod(offer.method): OfferedTo(offer.offered_to) for offer in service.meeting_methods.all()
    }


def set_methods(service: Service, wanted: Mapping[MeetingMethod, OfferedTo]) -> None:
    """Offer the service in exactly the methods wanted; rows that say so already are left alone."""
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).get(pk=service.pk)
        present = {offer.method: offer for offer in service.meeting_methods.all()}
        service.meeting_methods.exclude(method__in=list(wanted)).delete()
        for method, offered_to in wanted.items():
            _offer(service, method, offered_to, present.get(method))


def _offer(
    service: Service, method: MeetingMethod, offered_to: OfferedTo, offer: MeetingMethodOffer | None
) -> None:
    if offer is None:
        MeetingMethodOffer.objects.create(service=service, method=method, offered_to=offered_to)
    elif offer.offered_to != offered_to:
        offer.offered_to = offered_to
        offer.save(update_fields=["offered_to"])

"""Bounces and complaints that an email provider reports. They are stored with the email that they are about."""

from __future__ import annotations

from typing import Any, Final

from anymail.signals import AnymailTrackingEvent, EventType
from django.db.models.functions import Now

from staff.models import Bounce, OutboxEmail

_BOUNCES: Final = {
    EventType.BOUNCED: Bounce.BOUNCED,
    # The provider sends nothing to an address that bounced or complained before.
    EventType.REJECTED: Bounce.BOUNCED,
    EventType.COMPLAINED: Bounce.COMPLAINED,
}


def record_bounce(event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Store a bounce or complaint. Ignore other events, and those about an email that is deleted or not to the address.

    Receiver of `anymail.signals.tracking`. The provider's text isn't stored.
    """
    bounce = _BOUNCES.get(event.event_type)
    number = str((event.metadata or {}).get("email", ""))
    if bounce is None or not (number.isascii() and number.isdecimal()):
        return
    email = OutboxEmail.objects.filter(pk=number[:18]).first()
    recipient = (event.recipient or "").casefold()
    if email is not None and recipient in (address.casefold() for address in email.to):
        OutboxEmail.objects.filter(pk=email.pk).update(bounce=bounce, bounced_at=Now())

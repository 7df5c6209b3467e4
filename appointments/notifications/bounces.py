"""Emails to a client that came back."""

from __future__ import annotations

from django.utils.translation import gettext as _

from appointments.models import Audience, Client
from staff.models import Bounce, OutboxEmail


def bounce_sentence(client: Client) -> str:
    """Return a sentence if the latest email that came back went to the client's present address; "" otherwise.

    A corrected address has no bounce, and an erased client has no emails.
    """
    if not client.email:
        return ""
    emails = OutboxEmail.objects.filter(
        notifications__appointment__client=client, notifications__audience=Audience.CLIENT, to=[client.email]
    )
    found = emails.exclude(bounce="").order_by("-bounced_at").first()
    if found is None:
        return ""
    if found.bounce == Bounce.COMPLAINED:
        return _("The client marked an email as spam. Call them: further emails may not arrive.")
    return _("This address bounced. Ask the client for the right one.")

"""Sender of emails: display name, address for replies, and the headers that every email has."""

from __future__ import annotations

import unicodedata
from email.utils import formataddr, parseaddr
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives

from staff.emails.layout import brand_of
from staff.emails.letters import with_html
from staff.models import Organization, OutboxEmail

#: Longer display names are cut: inboxes show about 30 characters.
_LONGEST_NAME: Final = 100


def complete_message(message: EmailMessage, email: OutboxEmail) -> EmailMultiAlternatives:
    """Return the message with HTML, sender and headers. Keep what its kind has set."""
    complete = with_html(message, brand_of(email.organization))
    if email.organization is not None:
        complete.from_email = sender_of(email.organization)
        if not complete.reply_to and email.organization.reply_to:
            complete.reply_to = [email.organization.reply_to]
    # Answering machines must not answer (RFC 3834, section 5).
    complete.extra_headers.setdefault("Auto-Submitted", "auto-generated")
    complete.extra_headers["Message-ID"] = _message_id(complete, email)
    # Providers return it with their events (`staff.emails.bounces`). SMTP ignores it.
    complete.metadata = {"email": str(email.pk)}  # type: ignore[attr-defined]
    _set_envelope_sender(complete)
    return complete


def sender_of(organization: Organization) -> str:
    """Return the From header of the organisation's emails: its name, and its own or the installation's address."""
    return formataddr((_display_name(organization), sender_address_of(organization)))


def sender_address_of(organization: Organization) -> str:
    """Return the address that the organisation's emails come from."""
    return organization.sender_email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _display_name(organization: Organization) -> str:
    """Return the name without line breaks and control characters, which would start another header."""
    letters = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in organization.name)
    return " ".join("".join(letters).split())[:_LONGEST_NAME].strip()


def _message_id(message: EmailMessage, email: OutboxEmail) -> str:
    """Return the same id at every attempt, so that a mailbox keeps one of two copies.

    A hash with the installation's address, because another installation may send from the same domain.
    """
    domain = parseaddr(message.from_email)[1].rpartition("@")[2]
    return f"<{uuid5(NAMESPACE_URL, f'{settings.BASE_URL}/emails/{email.pk}')}@{domain}>"


def _set_envelope_sender(message: EmailMessage) -> None:
    """Let bounces go to BOUNCE_ADDRESS. SMTP takes the sender of the envelope from `from_email`."""
    if settings.BOUNCE_ADDRESS:
        message.extra_headers["From"] = message.from_email
        message.from_email = settings.BOUNCE_ADDRESS

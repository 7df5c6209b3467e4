"""Mailboxes of clients: which addresses share one, and the proof that a visitor reads one.

The booking page can't know if a visitor reads the mailbox of the email that they type. A private link can: only an
email to that mailbox has it. So its page passes on a signed proof, in the address, to the booking page.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

_PROOF_LASTS = timedelta(days=1)


def mailbox_of(email: str) -> str:
    """Return the mailbox of an address: without case and without the tag after a plus sign (RFC 5233).

    Gmail also ignores dots (support.google.com/mail/answer/7436150).
    """
    local_part, _at, domain = email.casefold().rpartition("@")
    name = local_part.partition("+")[0] or local_part
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def mailbox_proof(email: str) -> str:
    """Return a proof, valid for a day, that its holder reads the mailbox of this address; "" without an address.

    It names no one: the mailbox is part of the key, not of the text. Give it only to the holder of a manage link.
    """
    return _signer(email).sign("") if email else ""


def proves_mailbox(proof: str, email: str) -> bool:
    """Return whether the proof is for the mailbox of this address, and not too old."""
    try:
        _signer(email).unsign(proof, max_age=_PROOF_LASTS)
    except BadSignature:
        return False
    return True


def _signer(email: str) -> TimestampSigner:
    return TimestampSigner(salt=f"appointments.client_view.mailboxes {mailbox_of(email)}")

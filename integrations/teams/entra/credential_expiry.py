"""Warn operators before the client secret or the certificate expires.

The app can't read its secret's end date from Microsoft, so the operator configures it. A certificate holds its own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from integrations.teams.entra.certificate import read_certificate
from integrations.teams.models import ExpiryWarning
from integrations.teams.operator_mail import enqueue_operator_email, operator_message
from staff.models import OutboxEmail
from staff.outbox import EmailKind

logger = logging.getLogger(__name__)

#: Days before the end at which operators get one email each. EXPIRED is the threshold after the end.
THRESHOLDS: Final = (30, 14, 7, 1)
EXPIRED: Final = -1


@dataclass(frozen=True)
class Credential:
    """An app credential. `ends` is the first moment at which Microsoft refuses it."""

    name: str
    ends: datetime
    remedy: str

    @property
    def days_left(self) -> int:
        """Return the whole days until the end: 0 on the last day, negative afterwards."""
        return (self.ends - timezone.now()).days

    @property
    def sentence(self) -> str:
        days = self.days_left
        if days < 0:
            return f"Microsoft's {self.name} has expired."
        if days == 0:
            return f"Microsoft's {self.name} expires within a day."
        return f"Microsoft's {self.name} expires in {days} {'day' if days == 1 else 'days'}."


def secret_expiry() -> Credential:
    """Return the client secret. Its configured last day counts in UTC. Raises ValueError."""
    last_day = date.fromisoformat(settings.MICROSOFT_CLIENT_SECRET_EXPIRES)
    ends = datetime.combine(last_day, time(), UTC) + timedelta(days=1)
    remedy = "Make a new secret in the app registration and set MICROSOFT_CLIENT_SECRET."
    return Credential("client secret", ends, remedy)


def certificate_expiry(pem: str) -> Credential:
    """Return the certificate from PEM."""
    ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    remedy = "Add a new certificate to the app registration and set MICROSOFT_CLIENT_CERTIFICATE."
    return Credential("certificate", ends, remedy)


def reached_threshold(credential: Credential) -> int | None:
    """Return the last threshold passed: 14 with 10 days left, EXPIRED after the end, None before the first."""
    if credential.days_left < 0:
        return EXPIRED
    return min((days for days in THRESHOLDS if credential.days_left <= days), default=None)


def warn_operators() -> None:
    """Email ADMINS about the credential in use, once per threshold. Concurrent runs send one email.

    A missed threshold is reported by the next run. Of several missed thresholds, only the last one is.
    """
    credential = _credential_in_use()
    threshold = reached_threshold(credential) if credential is not None else None
    if credential is None or threshold is None:
        return
    logger.warning("%s %s", credential.sentence, credential.remedy)
    if not settings.ADMINS:
        # Not recorded, so that operators who are configured later get the email.
        logger.warning("OPERATOR_EMAILS is empty: no email is sent.")
        return
    _email_once(credential, threshold)


def _credential_in_use() -> Credential | None:
    """Return the certificate if one is configured, else the secret. System checks report unreadable ones."""
    try:
        if settings.MICROSOFT_CLIENT_CERTIFICATE:
            return certificate_expiry(read_certificate(Path(settings.MICROSOFT_CLIENT_CERTIFICATE))[1])
        return secret_expiry() if settings.MICROSOFT_CLIENT_SECRET_EXPIRES else None
    except (OSError, ValueError, TypeError) as error:
        logger.warning("The end of Coconut's credentials is not known: %s", error)
        return None


@transaction.atomic
def _email_once(credential: Credential, threshold: int) -> None:
    _warning, is_new = ExpiryWarning.objects.get_or_create(
        credential=credential.name, ends=credential.ends, threshold=threshold
    )
    if is_new:
        params = {"credential": credential.name, "ends": credential.ends.isoformat()}
        enqueue_operator_email(EXPIRY_EMAIL, params)


def _render_expiry_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if the credential was replaced in the meantime."""
    credential = _credential_in_use()
    if credential is None or email.params != {
        "credential": credential.name,
        "ends": credential.ends.isoformat(),
    }:
        return None
    return operator_message(credential.sentence.rstrip("."), _email_text(credential))


EXPIRY_EMAIL: Final = EmailKind("credential_expiry", _render_expiry_email)


def _email_text(credential: Credential) -> str:
    return (
        f"{credential.sentence} Its last day is {credential.ends - timedelta(seconds=1):%d %B %Y}.\n\n"
        f"App registration: {settings.MICROSOFT_CLIENT_ID}\n\n"
        f"{credential.remedy} Then restart Coconut. docs/operations.md, “Emails to operators”, has the steps.\n\n"
        "After the end no connection gets new tokens: appointments can be booked, but their links wait. No admin has "
        "to reauthorize; everything goes on automatically once the new one is set.\n"
    )

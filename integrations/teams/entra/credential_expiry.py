"""When the client secret or the certificate ends, and telling the operators in time.

Nothing at Microsoft says when a client secret ends, so its last day is a setting; a certificate says it itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from django.conf import settings
from django.core.mail import mail_admins
from django.utils import timezone

from integrations.teams.entra.certificate import read_certificate
from integrations.teams.models import ExpiryWarning

logger = logging.getLogger(__name__)

#: Days before the end at which the operators are told, once each; and once more when it is over.
THRESHOLDS: Final = (30, 14, 7, 1)
OVER: Final = -1


@dataclass(frozen=True)
class Credential:
    """What Coconut identifies itself with. `ends` is the first moment at which Microsoft refuses it."""

    what: str
    ends: datetime
    remedy: str

    @property
    def days_left(self) -> int:
        """Whole days until it ends: 0 on its last day, negative afterwards. The one place that counts them."""
        return (self.ends - timezone.now()).days

    @property
    def sentence(self) -> str:
        days = self.days_left
        if days < 0:
            return f"Microsoft's {self.what} has expired."
        if days == 0:
            return f"Microsoft's {self.what} expires within a day."
        return f"Microsoft's {self.what} expires in {days} {'day' if days == 1 else 'days'}."


def of_secret() -> Credential:
    """The client secret. Its last day is one in UTC, a day more or less does not matter. Raises ValueError."""
    last_day = date.fromisoformat(settings.MICROSOFT_CLIENT_SECRET_EXPIRES)
    ends = datetime.combine(last_day, time(), UTC) + timedelta(days=1)
    remedy = "Make a new secret in the app registration and set MICROSOFT_CLIENT_SECRET."
    return Credential("client secret", ends, remedy)


def of_certificate(pem: str) -> Credential:
    """The certificate, as PEM."""
    ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    remedy = "Add a new certificate to the app registration and set MICROSOFT_CLIENT_CERTIFICATE."
    return Credential("certificate", ends, remedy)


def threshold_of(credential: Credential) -> int | None:
    """The last threshold that was reached: 14 with 10 days left, OVER after the end, None while there is time."""
    if credential.days_left < 0:
        return OVER
    return min((days for days in THRESHOLDS if credential.days_left <= days), default=None)


def warn_operators() -> None:
    """Mail ADMINS about the credential in use, once for each threshold, however often and by whomever this is run.

    Where nobody looked on the day itself the next run tells; of several thresholds that were missed only the last.
    """
    credential = _in_use()
    threshold = threshold_of(credential) if credential is not None else None
    if credential is None or threshold is None:
        return
    logger.warning("%s %s", credential.sentence, credential.remedy)
    if not settings.ADMINS:
        # Not noted as told, so that whoever is named later is told.
        logger.warning("OPERATOR_EMAILS is empty: nobody is told by mail.")
        return
    _tell_once(credential, threshold)


def _in_use() -> Credential | None:
    """A certificate goes before a secret. What cannot be read is a system check's to say."""
    try:
        if settings.MICROSOFT_CLIENT_CERTIFICATE:
            return of_certificate(read_certificate(Path(settings.MICROSOFT_CLIENT_CERTIFICATE))[1])
        return of_secret() if settings.MICROSOFT_CLIENT_SECRET_EXPIRES else None
    except (OSError, ValueError, TypeError) as error:
        logger.warning("The end of Coconut's credentials is not known: %s", error)
        return None


def _tell_once(credential: Credential, threshold: int) -> None:
    # The row comes first: rather no mail for once, where the process dies here, than one from every worker.
    told, is_new = ExpiryWarning.objects.get_or_create(
        what=credential.what, ends=credential.ends, threshold=threshold
    )
    if not is_new:
        return
    try:
        mail_admins(credential.sentence.rstrip("."), _mail(credential))
    except OSError:
        # Nobody was told, so the next run tries again.
        told.delete()
        logger.exception("The operators could not be told that Microsoft's %s expires.", credential.what)


def _mail(credential: Credential) -> str:
    return (
        f"{credential.sentence} Its last day is {credential.ends - timedelta(seconds=1):%d %B %Y}.\n\n"
        f"App registration: {settings.MICROSOFT_CLIENT_ID}\n\n"
        f"{credential.remedy} Then restart Coconut. docs/operations.md, “Emails to operators”, has the steps.\n\n"
        "After the end no connection gets new tokens: appointments can be booked, but their links wait. No admin has "
        "to reauthorize; everything goes on by itself once the new one is set.\n"
    )

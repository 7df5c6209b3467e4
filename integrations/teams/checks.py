"""What is wrong with the certificate that Coconut identifies itself with at Microsoft."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

from integrations.teams.certificate import read_certificate

_WARN_DAYS = 30


@register()
def check_certificate(**kwargs: Any) -> list[CheckMessage]:
    """Whether the file holds a key and a certificate, and how long that is valid. Without a file there is E009."""
    path = Path(settings.MICROSOFT_CLIENT_CERTIFICATE or "/")
    if not path.is_file():
        return []
    try:
        _key, certificate = read_certificate(path)
    except (OSError, ValueError, TypeError) as error:
        return [
            Error(
                f"The file at MICROSOFT_CLIENT_CERTIFICATE cannot be used: {error}",
                hint="Give a PEM file with certificate and private key, or a PFX file, without a passphrase.",
                id="coconut.E015",
            )
        ]
    return _check_end(x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc)


def _check_end(ends: datetime) -> list[CheckMessage]:
    days_left = (ends - datetime.now(UTC)).days
    if days_left > _WARN_DAYS:
        return []
    return [
        Caution(
            f"Microsoft's certificate expires in {days_left} days."
            if days_left >= 0
            else "Microsoft's certificate has expired.",
            hint="Add a new certificate to the app registration and set MICROSOFT_CLIENT_CERTIFICATE.",
            id="coconut.W003",
        )
    ]

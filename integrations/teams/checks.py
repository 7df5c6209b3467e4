"""System checks of the client secret, the certificate and the stored tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import DatabaseError

from integrations.teams.entra import credential_expiry, user_tokens
from integrations.teams.entra.certificate import read_certificate


@register()
def check_certificate(**kwargs: Any) -> list[CheckMessage]:
    """Check that the file holds a key and a certificate that isn't about to expire. E009 reports a missing file."""
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
    return _check_expiry("coconut.W003", credential_expiry.certificate_expiry(certificate))


@register()
def check_secret_expiry_date(**kwargs: Any) -> list[CheckMessage]:
    """Check that the client secret's last day is a date that isn't near. The setting is optional."""
    if not settings.MICROSOFT_CLIENT_SECRET_EXPIRES:
        return []
    try:
        credential = credential_expiry.secret_expiry()
    except ValueError:
        return [
            Error(
                f"MICROSOFT_CLIENT_SECRET_EXPIRES is not a date: {settings.MICROSOFT_CLIENT_SECRET_EXPIRES!r}.",
                hint="Write it as 2027-05-31.",
                id="coconut.E011",
            )
        ]
    return _check_expiry("coconut.W002", credential)


@register(Tags.database)
def check_tokens(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the configured keys can decrypt the stored tokens."""
    if not databases or not settings.ENCRYPTION_KEYS:
        return []
    try:
        unreadable = user_tokens.count_unreadable()
    except (DatabaseError, ValueError):
        # No table yet, or no usable key. E003 reports the key.
        return []
    if not unreadable:
        return []
    return [
        Caution(
            f"The sign-ins of {unreadable} connections can be read with none of ENCRYPTION_KEYS.",
            hint="Add the key that they were stored with. If it is lost, their admins use Reauthorize.",
            id="coconut.W004",
        )
    ]


def _check_expiry(check_id: str, credential: credential_expiry.Credential) -> list[CheckMessage]:
    if credential_expiry.reached_threshold(credential) is None:
        return []
    return [Caution(credential.sentence, hint=credential.remedy, id=check_id)]

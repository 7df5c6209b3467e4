"""Signed tokens of pages without cookies: of a form, and of the page that confirms a booking."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.core import signing

from appointments.models import Appointment
from staff.models import Organization

_FORM_SALT = "appointments.client_view.selection.form"
_BOOKED_SALT = "appointments.client_view.selection.booked"
_FORM_LASTS = timedelta(hours=4)
_BOOKED_LASTS = timedelta(hours=1)


class BadToken(ValueError):
    """The token isn't ours, or belongs to another organisation."""


@dataclass(frozen=True)
class FormToken:
    """Secret of one rendered form. `is_old` marks a token that has expired."""

    key: str
    is_old: bool = False

    @classmethod
    def new(cls) -> FormToken:
        return cls(secrets.token_urlsafe(24))

    @classmethod
    def read(cls, text: str, organization: Organization) -> FormToken:
        """Return the token of a submitted form. Raises BadToken."""
        try:
            return cls(_signed_key(text, organization, _FORM_LASTS))
        except signing.SignatureExpired:
            return cls(_signed_key(text, organization, None), is_old=True)

    def signed(self, organization: Organization) -> str:
        """Return the value of the hidden field."""
        return signing.dumps([organization.pk, self.key], salt=_FORM_SALT)

    def request_key(self, service: int, start: int) -> str:
        """Return the request key: the same for each submit of the form for one service and start."""
        return sha256(f"{self.key} {service} {start}".encode()).hexdigest()


def _signed_key(text: str, organization: Organization, lasts: timedelta | None) -> str:
    try:
        pk, key = signing.loads(text, salt=_FORM_SALT, max_age=lasts)
    except signing.SignatureExpired:
        raise
    except (signing.BadSignature, UnicodeError) as error:
        raise BadToken from error
    if pk != organization.pk:
        raise BadToken
    return str(key)


def reference_of(appointment: Appointment) -> str:
    """Return the reference of the confirmation page, valid for an hour. It can do less than the client's own link."""
    return signing.dumps(appointment.public_id.hex, salt=_BOOKED_SALT)


def public_id_of(reference: str) -> UUID | None:
    """Return the public id of the appointment; None if the reference is invalid or too old."""
    try:
        return UUID(str(signing.loads(reference, salt=_BOOKED_SALT, max_age=_BOOKED_LASTS)))
    except (signing.BadSignature, ValueError):
        return None

"""Signed tokens of pages without cookies: of a form, and of the page that confirms a booking."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.core import signing
from django.db.models import QuerySet

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

    def request_key(self, service: int, start: int, email: str) -> str:
        """Return the request key: the same for each submit of the form for one service, start and client."""
        return sha256(f"{self.key} {service} {start} {email.casefold()}".encode()).hexdigest()


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
    """Return the reference of the confirmation page, valid for an hour. It can do less than the client's own link.

    It ends when the client's links are replaced, as the visitor may have typed the address of another person.
    """
    return signing.dumps([appointment.public_id.hex, _link_fingerprint(appointment)], salt=_BOOKED_SALT)


def find_booked(reference: str, appointments: QuerySet[Appointment]) -> Appointment | None:
    """Return the appointment with this reference among `appointments`; None if the reference is invalid or ended."""
    try:
        public_id, fingerprint = signing.loads(reference, salt=_BOOKED_SALT, max_age=_BOOKED_LASTS)
        appointment = appointments.filter(public_id=UUID(str(public_id))).first()
    except (signing.BadSignature, ValueError, TypeError):
        return None
    is_current = appointment is not None and fingerprint == _link_fingerprint(appointment)
    return appointment if is_current else None


def _link_fingerprint(appointment: Appointment) -> str:
    """Return a hash of the client's join link, which doesn't reveal it."""
    return sha256(appointment.join_token.encode()).hexdigest()[:16]

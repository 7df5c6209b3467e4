"""What the pages without cookies sign: that a form is ours, and who may look at what was just booked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.core import signing

from appointments.models import Appointment
from staff.models import Organization

_FORM_SALT = "appointments.client_view.selection.form"
_BOOKED_SALT = "appointments.client_view.selection.booked"
_FORM_LASTS = timedelta(hours=4)
_BOOKED_LASTS = timedelta(hours=1)


class BadToken(ValueError):
    """The form is none of ours, or of another organisation."""


@dataclass(frozen=True)
class FormToken:
    """The secret of one form that was shown; `is_old` where it lay open too long to be believed."""

    key: str
    is_old: bool = False

    @classmethod
    def new(cls) -> FormToken:
        return cls(secrets.token_urlsafe(24))

    @classmethod
    def read(cls, text: str, organization: Organization) -> FormToken:
        """Raises BadToken."""
        try:
            return cls(_key(text, organization, _FORM_LASTS))
        except signing.SignatureExpired:
            return cls(_key(text, organization, None), is_old=True)

    def signed(self, organization: Organization) -> str:
        """What stands in the form."""
        return signing.dumps([organization.pk, self.key], salt=_FORM_SALT)

    def request_key(self, service: int, start: int) -> str:
        """The same for every submit of the form for one service and time, which is one booking."""
        return sha256(f"{self.key} {service} {start}".encode()).hexdigest()


def _key(text: str, organization: Organization, lasts: timedelta | None) -> str:
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
    """Opens the page that says what was booked, for an hour: less than the client's own link, which is in the mail."""
    return signing.dumps(appointment.pk, salt=_BOOKED_SALT)


def booked_under(reference: str) -> int | None:
    """The pk of the appointment; None where the reference is none, or too old."""
    try:
        return int(signing.loads(reference, salt=_BOOKED_SALT, max_age=_BOOKED_LASTS))
    except (signing.BadSignature, UnicodeError):
        return None

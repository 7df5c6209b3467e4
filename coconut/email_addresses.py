"""Email addresses: one model field and one form field for every address that the product stores or looks up.

Django's EmailField accepts quoted local parts, which may hold control characters, and domains with invisible
characters. No email header can hold them. Domains with other letters are stored as IDNA 2008 (RFC 5891), which every
email server understands: `büro.example` becomes `xn--bro-hoa.example`. Invisible characters and punctuation that are
pasted along with an address are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _

from coconut.fields.pasted_text import clean_identifier, unwrap

if TYPE_CHECKING:
    ModelEmailField = models.EmailField[str, str]
else:
    ModelEmailField = models.EmailField

_MAILTO = re.compile(r"^mailto:", re.IGNORECASE)
#: Unicode categories of control, invisible, space and unassigned characters.
# RFC 5321 allows 320 characters; the rest is room for what is pasted along with an address.
_LONGEST: Final = 2000
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})


def validate_email_address(address: str) -> None:
    """Raise ValidationError, with one sentence, if the address is invalid or no header can hold it."""
    if any(unicodedata.category(letter) in _UNSAFE_CATEGORIES for letter in address):
        raise ValidationError(_("Enter an email address without spaces and invisible characters."), code="invalid")
    if '"' in address:
        raise ValidationError(_("Enter an email address without quotation marks."), code="invalid")
    if not address.rpartition("@")[2].isascii():
        raise ValidationError(_("The part after the @ isn't a valid domain. Check its spelling."), code="invalid")
    validate_email(address)


def normalize_email_address(address: str) -> str:
    """Return the address without what was pasted along with it, and with an ASCII domain.

    An invalid address stays invalid. Every spelling of an address that is found in the database gives the same result,
    which limits of attempts count on.
    """
    if len(address) > _LONGEST:
        # Not an address, and to unwrap megabytes of brackets would take minutes.
        return address
    address = _unwrap(clean_identifier(address))
    local_part, at, domain = address.rpartition("@")
    if domain.isascii() or not _UNSAFE_CATEGORIES.isdisjoint(map(unicodedata.category, domain)):
        return address
    try:
        return f"{local_part}{at}{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def _unwrap(address: str) -> str:
    """Remove "mailto:", and brackets, quotation marks and punctuation around the address."""
    while (inner := _MAILTO.sub("", unwrap(address).rstrip(".,; "))) != address:
        address = inner
    return address


class EmailAddressFormField(forms.EmailField):
    """An email address without quotation marks and invisible characters. Its domain becomes ASCII."""

    default_validators = [validate_email_address]

    def to_python(self, value: Any) -> str:
        return normalize_email_address(super().to_python(value) or "")


class EmailAddressField(ModelEmailField):
    """The same for a column. Migrations see Django's field, as the column doesn't differ."""

    default_validators = [validate_email_address]

    def to_python(self, value: Any) -> Any:
        # Django also calls this for values to save, where it must not raise.
        address = super().to_python(value)
        return normalize_email_address(address) if isinstance(address, str) else address

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": EmailAddressFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs

"""Phone numbers: one model field and one form field for every number that people type or paste."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from coconut.fields.pasted_text import clean_identifier

if TYPE_CHECKING:
    ModelCharField = models.CharField[str, str]
else:
    ModelCharField = models.CharField

# A longer text is refused, so it isn't worth cleaning.
_LONGEST: Final = 200
_MIN_DIGITS: Final = 5
_EXTENSION: Final = re.compile(r"[ ,;]*(?:extension|ext|x|#)[.:=]? ?([0-9]{1,8})$", re.IGNORECASE)
_TEL: Final = re.compile(r"^tel:? *", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[(+ ]{0,3}[0-9][0-9()./ -]*(?: x[0-9]{1,8})?")


def clean_phone_number(text: str) -> str:
    """Return the number without invisible characters, with ASCII digits and signs. An extension becomes " x12"."""
    if len(text) > _LONGEST:
        return text
    plain = "".join(map(_ascii_digit, unicodedata.normalize("NFKC", clean_identifier(text))))
    return _EXTENSION.sub(r" x\1", _TEL.sub("", clean_identifier(plain)))


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def validate_phone_number(number: str) -> None:
    """Raise ValidationError for text that isn't a phone number: other characters, or fewer than five digits."""
    without_extension = number.partition(" x")[0]
    if not _NUMBER.fullmatch(number) or sum(map(str.isdigit, without_extension)) < _MIN_DIGITS:
        raise ValidationError(_("Enter a phone number, such as +1 555 0100."), code="invalid")


def tel_uri(number: str) -> str:
    """Return the address that calls the number (RFC 3966), such as "tel:+14165550100;ext=12"."""
    # Rows from before numbers were cleaned may have other spellings.
    main, _x, extension = clean_phone_number(number).partition(" x")
    plus = "+" if main.lstrip("(").startswith("+") else ""
    # Callers from abroad leave out the zero of "+44 (0)20 …".
    digits = "".join(filter(str.isdigit, main.replace("(0)", "") if plus else main))
    return f"tel:{plus}{digits}" + (f";ext={extension}" if extension else "")


class PhoneNumberFormField(forms.CharField):
    """A phone number of at most 40 characters, with an extension if there is one."""

    default_validators = [validate_phone_number]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, "widget": forms.TextInput(attrs={"type": "tel"}), **kwargs})

    def to_python(self, value: Any) -> str:
        return clean_phone_number(super().to_python(value) or "")


class PhoneNumberField(ModelCharField):
    """The same for a column. Migrations see Django's field, as the column doesn't differ."""

    default_validators = [validate_phone_number]

    def to_python(self, value: Any) -> Any:
        # Django also calls this for values to save, where it must not raise.
        text = super().to_python(value)
        return clean_phone_number(text) if isinstance(text, str) else text

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PhoneNumberFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

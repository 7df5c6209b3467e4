"""Phone numbers: one model field and one form field for every number that people type or paste.

A number is stored as E.164, with an extension if it has one: "+14165550100 x12". The library phonenumbers reads and
formats it. A number without a country code is read as one of the form field's `region`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from coconut.fields.pasted_text import clean_identifier
from coconut.fields.phone_regions import current_region

if TYPE_CHECKING:
    ModelCharField = models.CharField[str, str]
else:
    ModelCharField = models.CharField

# A longer text is refused, so it isn't worth reading.
_LONGEST: Final = 200
_CANONICAL: Final = re.compile(r"\+[0-9]+(?: x[0-9]+)?")
# Digits with the separators that people write in a number, at least five characters, and an extension.
_PHONE: Final = re.compile(r"[0-9 +()./-]{5,}(?:[ ,;]*(?:extension|ext|x|#)[.:=]? ?[0-9]+)?", re.IGNORECASE)
_PART: Final = re.compile(r"(?=(?:[^0-9]*[0-9]){3})[0-9 +()./-]{3,}")
# A number without its area code stays as typed: the library knows no complete form of it.
_INCOMPLETE: Final = re.compile(r"\+[0-9 ()./-]+")
# Most countries dial 00 before a country code. Without a region, the library doesn't know that.
_ABROAD: Final = re.compile(r"^00(?=[1-9])")
_ANY_COUNTRY_EXAMPLE: Final = "+1 506 234 5678"


def canonical_phone_number(text: str, region: str | None = None) -> str:
    """Return the number as it is stored, or the text without invisible characters if it can't be called.

    `region` is the country of a number without a country code, as two letters.
    """
    cleaned = clean_identifier(text) if len(text) <= _LONGEST else text
    number = read_phone_number(cleaned, region)
    if number is None or _length(number) != ValidationResult.IS_POSSIBLE:
        return cleaned
    extension = f" x{number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) + extension


def read_phone_number(text: str, region: str | None = None) -> PhoneNumber | None:
    """Return the number in the text, of any length, or None."""
    if len(text) > _LONGEST or "\n" in text or "\r" in text:
        return None
    try:
        return phonenumbers.parse(text if region else _ABROAD.sub("+", text), region)
    except NumberParseException:
        return None


def _length(number: PhoneNumber) -> int:
    reason: int = phonenumbers.is_possible_number_with_reason(number)
    return reason


def validate_phone_number(text: str, region: str | None = None) -> None:
    """Raise ValidationError, with an example of the region, for text that isn't a possible phone number.

    A number without its area code is accepted only with a country code.
    """
    number = read_phone_number(text, region)
    if number is None:
        raise ValidationError(_refusal(text, region), code="invalid")
    length = _length(number)
    if length == ValidationResult.IS_POSSIBLE:
        return
    if length != ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise ValidationError(_refusal(text, region), code="invalid")
    if not _INCOMPLETE.fullmatch(text):
        sentence = _("Enter the phone number with its area code, such as %(example)s.")
        raise ValidationError(sentence % {"example": example_number(region)}, code="invalid")


def _refusal(text: str, region: str | None) -> str:
    if region is None and read_phone_number(text, "US") is not None and not text.startswith("+"):
        sentence = _("Enter the phone number with its country code, such as %(example)s.")
    else:
        sentence = _("Enter a phone number, such as %(example)s.")
    return sentence % {"example": example_number(region)}


def example_number(region: str | None) -> str:
    """Return a number of the region as people there write it."""
    number = phonenumbers.example_number(region) if region else None
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if number else _ANY_COUNTRY_EXAMPLE


def display_phone_number(number: str, region: str | None) -> str:
    """Return a stored number as a reader in the region dials it: without the country code if it is the reader's.

    A number that can't be read, such as one from before numbers were checked, is returned as it is.
    """
    read = read_phone_number(number, region)
    if read is None or _length(read) != ValidationResult.IS_POSSIBLE:
        return number
    same_country = region is not None and phonenumbers.country_code_for_region(region) == read.country_code
    return phonenumbers.format_number(
        read, PhoneNumberFormat.NATIONAL if same_country else PhoneNumberFormat.INTERNATIONAL
    )


def phone_number(number: str) -> str:
    """Return a stored number for the reader, in the country of the current time zone."""
    return display_phone_number(number, current_region())


def tel_uri(number: str) -> str:
    """Return the address that calls a stored number (RFC 3966), such as "tel:+14165550100;ext=12"."""
    canonical = canonical_phone_number(number)
    main, _x, extension = canonical.partition(" x")
    plus = "+" if main.startswith("+") else ""
    return f"tel:{plus}{''.join(filter(str.isdigit, main))}" + (f";ext={extension}" if extension else "")


class PhoneNumberFormField(forms.CharField):
    """A phone number with an extension if there is one. A form sets `region` to the organisation's."""

    region: str | None

    def __init__(self, *, region: str | None = None, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, "widget": forms.TextInput(attrs={"type": "tel"}), **kwargs})
        self.region = region

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return canonical_phone_number(text, self.region) if text else ""

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            validate_phone_number(value, self.region)

    def prepare_value(self, value: Any) -> Any:
        """Return a stored number as people write it, and typed text as it was typed."""
        if isinstance(value, str) and _CANONICAL.fullmatch(value):
            return display_phone_number(value, self.region)
        return value


def phone_search_words(text: str, region: str | None) -> list[str]:
    """Return the words of a search as they stand in stored numbers: whole numbers as E.164, parts as digits.

    Other words stay. A part may begin with the zeros that are dialled before an area code or a country code.
    """
    cleaned = clean_identifier(text)
    number = read_phone_number(cleaned, region) if _PHONE.fullmatch(cleaned) else None
    # In some countries, part of a number is as long as a short one.
    if number is not None and phonenumbers.is_valid_number(number):
        return canonical_phone_number(cleaned, region).split()
    digits = "".join(filter(str.isdigit, cleaned.replace("(0)", ""))).lstrip("0")
    return [digits] if digits and _PART.fullmatch(cleaned) else [text]


def set_phone_region(form: forms.BaseForm, *regions: str | None) -> None:
    """Set the country of numbers that are typed without a country code: the first of the regions that is known."""
    region = next((region for region in regions if region in phonenumbers.SUPPORTED_REGIONS), None)
    for field in form.fields.values():
        if isinstance(field, PhoneNumberFormField):
            field.region = region


class PhoneNumberField(ModelCharField):
    """The same for a column. Migrations see Django's field, as the column doesn't differ."""

    default_validators = [validate_phone_number]

    def to_python(self, value: Any) -> Any:
        # Django also calls this for values to save, where it must not raise.
        text = super().to_python(value)
        return canonical_phone_number(text) if isinstance(text, str) else text

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PhoneNumberFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

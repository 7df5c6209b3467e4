"""Form fields for ids, unix times and time zones in addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

M = TypeVar("M", bound=Model)
# The year 2200.
_LATEST_SECONDS = 7_258_118_400


class IdField(forms.Field):
    """Primary key, or another number that isn't negative, of at most 18 digits."""

    default_error_messages = {"invalid": _("Enter a number.")}

    def to_python(self, value: Any) -> int | None:
        """Return the number. Raises ValidationError."""
        if value in self.empty_values:
            return None
        # Python reads digits of other scripts, and the database column ends before 19 digits.
        RegexValidator(r"\A[0-9]{1,18}\Z", self.error_messages["invalid"], "invalid")(value)
        return int(value)


class UnixTimeField(IdField):
    """Datetime in UTC, written as unix seconds."""

    def to_python(self, value: Any) -> datetime | None:  # type: ignore[override]
        """Return the datetime. Raises ValidationError."""
        seconds = super().to_python(value)
        if seconds is None:
            return None
        if not 0 < seconds < _LATEST_SECONDS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return datetime.fromtimestamp(seconds, UTC)


class ZoneField(forms.Field):
    """Time zone by its IANA name."""

    default_error_messages = {"invalid": _("There is no time zone of this name.")}

    def to_python(self, value: Any) -> ZoneInfo | None:
        """Return the time zone. Raises ValidationError."""
        if value in self.empty_values:
            return None
        # A name is read as a file: an invalid one may be a folder, or not even a path.
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


def clean_or_none(field: forms.Field, text: str) -> Any:
    """Return the field's value for a single parameter; None if the text is empty or invalid."""
    try:
        return field.clean(text)
    except ValidationError:
        return None


def find_by_id(rows: QuerySet[M], text: str) -> M | None:
    """Return the row with the id in `text`; None if there is none, or `text` isn't an id."""
    pk = clean_or_none(IdField(), text)
    return None if pk is None else rows.filter(pk=pk).first()

"""Form fields for days and datetimes, with the limits of the calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

# Years outside this range are typing errors. The limits leave room for adding days and zone offsets.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)


class DayField(forms.DateField):
    """A day between 2000 and 2199, with the browser's date picker."""

    default_error_messages = {"invalid": _("Enter a date such as 2026-12-31.")}
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")

    def validate(self, value: dt.date | None) -> None:
        """Refuse days outside the range."""
        super().validate(value)
        if value is not None and not EARLIEST <= value <= LATEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class IsoDateTimeField(forms.DateTimeField):
    """A time in ISO 8601 between 2000 and 2199, as UTC.

    Without an offset it is in the current time zone, or refused if `requires_offset`. JSON can hold any type, and any
    offset: values that the database can't store are refused.
    """

    def __init__(self, *, requires_offset: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.requires_offset = requires_offset

    def to_python(self, value: Any) -> dt.datetime | None:
        """Raises ValidationError."""
        parsed = super().to_python(value if value in self.empty_values else str(value))
        if parsed is None:
            return None
        if self.requires_offset and not _has_offset(str(value)):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if not EARLIEST <= parsed.date() <= LATEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return parsed.astimezone(dt.UTC)


def _has_offset(text: str) -> bool:
    found = parse_datetime(text)
    return found is not None and found.tzinfo is not None

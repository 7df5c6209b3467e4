"""Form fields for days and datetimes, with the limits of the calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
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

    @classmethod
    def day_in(cls, text: str) -> dt.date | None:
        """Return the day of a text such as "2026-12-31"; None if it isn't one."""
        try:
            day: Any = cls().clean(text)
        except ValidationError:
            return None
        return day if isinstance(day, dt.date) else None


class IsoDateTimeField(forms.DateTimeField):
    """A time in ISO 8601 between 2000 and 2199, as UTC. Without an offset it is in the current time zone.

    JSON can hold any type, and any offset: values that the database can't store are refused.
    """

    def to_python(self, value: Any) -> dt.datetime | None:
        """Raises ValidationError."""
        moment = super().to_python(value if value in self.empty_values else str(value))
        if moment is None:
            return None
        if not EARLIEST <= moment.date() <= LATEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return moment.astimezone(dt.UTC)

"""Form fields for days and datetimes, with the limits of the calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# A day has a day before and one after it in every zone; a year outside of these is a slip of the finger.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)


class DayField(forms.DateField):
    """A day between 2000 and 2199, by the browser's own picker."""

    default_error_messages = {"invalid": _("Enter a date such as 2026-12-31.")}
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")

    def validate(self, value: dt.date | None) -> None:
        """Refuse days that no calendar here can show."""
        super().validate(value)
        if value is not None and not EARLIEST <= value <= LATEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")

    @classmethod
    def day_in(cls, text: str) -> dt.date | None:
        """The day that stands in `text`, such as "2026-12-31"; None where it is none."""
        try:
            day: Any = cls().clean(text)
        except ValidationError:
            return None
        return day if isinstance(day, dt.date) else None


class IsoDateTimeField(forms.DateTimeField):
    """ISO 8601 between 2000 and 2199, in UTC; without an offset it is meant by the present clock.

    JSON holds anything, and an offset can be one that the database does not know: neither gets further than this.
    """

    def to_python(self, value: Any) -> dt.datetime | None:
        """Raises ValidationError."""
        moment = super().to_python(value if value in self.empty_values else str(value))
        if moment is None:
            return None
        if not EARLIEST <= moment.date() <= LATEST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return moment.astimezone(dt.UTC)

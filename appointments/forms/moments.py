"""Moments that scripts send."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from appointments.forms.days import EARLIEST, LATEST


class MomentField(forms.DateTimeField):
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

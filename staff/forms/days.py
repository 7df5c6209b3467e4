"""Checks of dates that people type."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext

_YEAR = timedelta(days=366)


def check_year(day: date) -> date:
    """Return the date. Raises ValidationError if it is over a year ago or over ten years ahead."""
    today = timezone.localdate()
    if not today - _YEAR <= day <= today + 10 * _YEAR:
        raise ValidationError(gettext("Check the year."))
    return day

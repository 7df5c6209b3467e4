"""Checks of dates that people type."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

_YEAR = timedelta(days=366)


def check_year(day: date) -> date:
    """Return the date. Raises ValidationError if it is over a year ago or over ten years ahead."""
    today = timezone.localdate()
    if not today - _YEAR <= day <= today + 10 * _YEAR:
        raise ValidationError(gettext("Check the year."))
    return day


def day_or_404(text: str) -> date:
    """Return a date of an address, such as "2027-01-04". Raises Http404 for any other text."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Http404
    return day

"""Dates of overrides for people."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format


def days_text(first_day: date, last_day: date) -> str:
    """Return one or two dates, such as "Thu 24 Dec 2026 – Fri 1 Jan 2027"."""
    days = [date_format(first_day, "D j M Y"), date_format(last_day, "D j M Y")]
    return " – ".join(dict.fromkeys(days))

"""Template filters for phone numbers."""

from __future__ import annotations

from django import template

from coconut.fields.phone_numbers import phone_number, tel_uri

register = template.Library()
register.filter(phone_number)
register.filter(tel_uri)

"""Private addresses from which calendars read the appointments of a staff member."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from staff.models import StaffMember


class CalendarFeed(models.Model):
    """Private calendar address of a staff member. Only a hash of its token is stored, so it can be shown only once."""

    staff = models.OneToOneField(StaffMember, models.CASCADE, related_name="calendar_feed")
    # SHA-256 in hexadecimal. The token has 256 random bits, so the hash needs no salt.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

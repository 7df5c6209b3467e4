"""Create, find and end the private calendar address of a staff member."""

from __future__ import annotations

import secrets
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from appointments.audit import CALENDAR_FEED_CREATED, CALENDAR_FEED_ENDED
from appointments.calendar_feed_models import CalendarFeed
from staff.audit_log.record import record
from staff.models import StaffMember


def create_address(member: StaffMember) -> str:
    """Return a new address. An earlier one of the same person ends."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        CalendarFeed.objects.update_or_create(
            staff=member, defaults={"token_hash": _hash(token), "created_at": timezone.now()}
        )
        record(CALENDAR_FEED_CREATED, member)
    return f"{settings.BASE_URL}{reverse('calendar-feed-file', args=[token])}"


def end_address(member: StaffMember) -> bool:
    """End the address of a person. Return whether they had one."""
    with transaction.atomic():
        ended, _rows = CalendarFeed.objects.filter(staff=member).delete()
        if ended:
            record(CALENDAR_FEED_ENDED, member)
    return bool(ended)


def owner_of(token: str) -> StaffMember | None:
    """Return the person whose address has the token, or None if it is unknown or the person has left."""
    feeds = CalendarFeed.objects.select_related("staff__organization", "staff__location")
    feed = feeds.filter(token_hash=_hash(token)).first()
    if feed is None or feed.staff.organization is None or feed.staff.has_left_at(timezone.now()):
        return None
    return feed.staff


def _hash(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()

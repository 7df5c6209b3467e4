"""A row for each signed-in browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: A session ends this long after the sign-in, however active the person is.
MAX_AGE: Final = timedelta(hours=12)
#: Minutes without activity after which a session ends, and the bounds within which an organisation may set them.
DEFAULT_IDLE_MINUTES: Final = 30
IDLE_MINUTES_RANGE: Final = (5, MAX_AGE // timedelta(minutes=1))


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    """Sessions by their age."""

    def expired(self) -> Self:
        """Return the sessions whose sign-in is too long ago."""
        return self.filter(started_at__lt=timezone.now() - MAX_AGE)


class StaffSession(models.Model):
    """The session of a staff member in one browser. Without its row, the session's cookie is invalid."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    # `StaffMember.get_session_auth_hash()` when it was last checked. Another value now means that the session is over.
    auth_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField(_("signed in"), default=timezone.now)
    last_active_at = models.DateTimeField(_("last active"), default=timezone.now)
    password_entered_at = models.DateTimeField(default=timezone.now)
    # The network of an IPv6 address. See `coconut.rate_limits.client_address`.
    address = models.CharField(_("address"), max_length=64, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)

    objects = StaffSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_active_at"]
        indexes = [models.Index(fields=["started_at"], name="staff_session_by_age")]

    def is_too_old(self, now: datetime) -> bool:
        """Return whether the sign-in is longer ago than MAX_AGE."""
        return now - self.started_at >= MAX_AGE

    def is_idle(self, now: datetime, limit: timedelta) -> bool:
        """Return whether the person has done nothing for `limit`."""
        return now - self.last_active_at >= limit

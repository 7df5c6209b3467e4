"""Report how much of the platform's capacity organizers use: on pages, in the history, and by email."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final

from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.event_text import capacity_window_name, usage_sentence
from integrations.events import connection_link, email_admins, record_event
from integrations.models import Connection, EventKind, OrganizerUsage, UserMatch
from integrations.platforms.registry import platform_of
from integrations.platforms.values import Capacity, CapacityWindow
from staff.models import OutboxEmail
from staff.outbox import EmailKind

#: Percentages of the limit at which the admins are notified, once each.
THRESHOLDS: Final = (80, 100)


@dataclass(frozen=True)
class Usage:
    """Share of the platform's capacity that an organizer has used in a window."""

    organizer: str
    platform: str
    meetings: int
    capacity: Capacity
    window_start: date

    @property
    def limit(self) -> int:
        return self.capacity.meetings

    @property
    def percent(self) -> int:
        return self.capacity.percent_of(self.meetings)

    @property
    def window_name(self) -> str:
        return capacity_window_name(self.capacity.window, self.window_start)

    @property
    def is_monthly(self) -> bool:
        return self.capacity.window == CapacityWindow.MONTH

    @property
    def event_params(self) -> dict[str, Any]:
        """Return the facts of `sentence`, as JSON values."""
        return {
            "organizer": self.organizer,
            "meetings": self.meetings,
            "limit": self.limit,
            "percent": self.percent,
            "window": self.capacity.window,
            "window_start": self.window_start.isoformat(),
        }

    @property
    def sentence(self) -> str:
        return usage_sentence(self.platform, self.event_params)


@dataclass(frozen=True)
class CapacityNotice:
    """The largest usage, the number of other organizers past the first threshold, and the platform's remedy."""

    usage: Usage
    others: int
    remedy: str

    @property
    def others_sentence(self) -> str:
        """Return "2 other organizers are near it, too.", or ""."""
        words = ngettext("%d other organizer is near it, too.", "%d other organizers are near it, too.", self.others)
        return words % self.others if self.others else ""


def window_start(window: CapacityWindow) -> date:
    """Return the first day of the present window in UTC, as platforms count."""
    today = timezone.now().astimezone(UTC).date()
    return today.replace(day=1) if window == CapacityWindow.MONTH else today


def notice_of(connection: Connection) -> CapacityNotice | None:
    """Return the notice for the dashboard, or None below the first threshold.

    One query, and another one for the organizer's name if there is a notice.
    """
    platform = platform_of(connection)
    if platform.capacity is None:
        return None
    least = -(-platform.capacity.meetings * THRESHOLDS[0] // 100)
    rows = list(_usage_rows(connection, platform.capacity).filter(meetings__gte=least))
    if not rows:
        return None
    usage = _usage(connection, rows[0], platform.capacity)
    return CapacityNotice(usage, len(rows) - 1, platform.capacity_remedy(connection))


def largest_usage(connection: Connection) -> Usage | None:
    """Return the largest usage in the present window, or None before the first count."""
    capacity = platform_of(connection).capacity
    if capacity is None:
        return None
    row = _usage_rows(connection, capacity).first()
    return _usage(connection, row, capacity) if row is not None else None


def notify_admins(connection: Connection, rows: Sequence[OrganizerUsage]) -> None:
    """Add a history event for each usage, and enqueue one email about all of them, in the caller's transaction."""
    capacity = platform_of(connection).capacity
    if capacity is None:
        return
    for row in rows:
        usage = _usage(connection, row, capacity)
        record_event(connection, EventKind.CAPACITY_REACHED, None, **usage.event_params)
    if rows:
        email_admins(connection, CAPACITY_EMAIL, usages=[row.pk for row in rows])


def _usage_rows(connection: Connection, capacity: Capacity) -> QuerySet[OrganizerUsage]:
    start = window_start(capacity.window)
    return OrganizerUsage.objects.filter(connection=connection, window_start=start).order_by("-meetings", "pk")


def _usage(connection: Connection, row: OrganizerUsage, capacity: Capacity) -> Usage:
    organizer, platform = _organizer_name(connection, row.organizer_id), platform_of(connection).label
    return Usage(organizer, platform, row.meetings, capacity, row.window_start)


def _organizer_name(connection: Connection, organizer_id: str) -> str:
    """Return the name of the account that organizes all meetings, or of the staff member who organizes their own."""
    platform = platform_of(connection)
    if not platform.hosts_as_staff(connection):
        return platform.account(connection).name
    matches = UserMatch.objects.filter(connection=connection, remote_id=organizer_id)
    match = matches.select_related("staff").order_by("pk").first()
    return match.staff.name if match is not None else organizer_id


def _render_capacity_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if the connection was disconnected in the meantime."""
    connection = Connection.objects.live().with_platforms().filter(pk=email.params["connection"]).first()
    capacity = platform_of(connection).capacity if connection is not None else None
    rows = OrganizerUsage.objects.filter(pk__in=email.params["usages"]).order_by("-meetings", "pk")
    if connection is None or capacity is None or not rows:
        return None
    usages = [_usage(connection, row, capacity) for row in rows]
    params = {"name": connection.name, "percent": max(usage.percent for usage in usages)}
    monthly = _("%(name)s: %(percent)d %% of a month's meetings are used")
    daily = _("%(name)s: %(percent)d %% of a day's meetings are used")
    remedy = platform_of(connection).capacity_remedy(connection)
    paragraphs = [*(usage.sentence for usage in usages), remedy, connection_link(connection)]
    return EmailMessage((monthly if usages[0].is_monthly else daily) % params, "\n\n".join(paragraphs) + "\n")


CAPACITY_EMAIL: Final = EmailKind("capacity", _render_capacity_email)

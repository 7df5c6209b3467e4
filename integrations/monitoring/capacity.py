"""Capacity monitoring: meetings per organizer and window, against the limit that the platform publishes.

Every meeting that was claimed for a call since the start of the window counts once: created, moved, renamed, read or
deleted. Published limits are numbers of meetings, not of requests. Meetings that people or other programs make as the
same organizer aren't known here.

If one account organizes all meetings, that account reaches the limit first.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now

from coconut.isolation import isolated
from integrations.models import Connection, Meeting, OrganizerUsage
from integrations.monitoring import capacity_report
from integrations.monitoring.capacity_report import THRESHOLDS
from integrations.platforms.registry import all_platforms, platform_of
from integrations.platforms.values import CapacityWindow


def count_organizers() -> int:
    """Count the meetings of the present windows, notify admins at the thresholds, and return the number of stored rows.

    One query per window in use, by the index on `claimed_at`.
    """
    windows = {platform.capacity.window for platform in all_platforms() if platform.capacity is not None}
    return sum(_count_window(window) for window in sorted(windows))


def _count_window(window: CapacityWindow) -> int:
    start = capacity_report.window_start(window)
    counts = (
        Meeting.objects.filter(claimed_at__gte=datetime.combine(start, time(), UTC))
        .order_by()
        .values_list("connection", "organizer_id")
        .annotate(meetings=Count("pk"))
    )
    by_connection: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for connection_id, organizer_id, meetings in counts:
        by_connection[connection_id][organizer_id] = meetings
    connections = Connection.objects.live().with_platforms().filter(pk__in=by_connection)
    stored = 0
    for connection in connections:
        with isolated(f"Counting the organizers of connection {connection.pk}"):
            stored += _store_usage(connection, window, start, by_connection[connection.pk])
    return stored


def _store_usage(connection: Connection, window: CapacityWindow, start: date, counts: dict[str, int]) -> int:
    """Store the organizer with the most meetings (one, if several are level) and all at a threshold."""
    capacity = platform_of(connection).capacity
    if capacity is None or capacity.window != window:
        return 0
    largest = min(counts, key=lambda organizer_id: (-counts[organizer_id], organizer_id))
    rows = [
        OrganizerUsage(
            connection=connection,
            organizer_id=organizer_id,
            window_start=start,
            meetings=meetings,
            counted_at=Now(),
        )
        for organizer_id, meetings in counts.items()
        if organizer_id == largest or capacity.percent_of(meetings) >= THRESHOLDS[0]
    ]
    OrganizerUsage.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "window_start", "organizer_id"],
        update_fields=["meetings", "counted_at"],
    )
    _notify_at_thresholds(connection, start)
    return len(rows)


@transaction.atomic
def _notify_at_thresholds(connection: Connection, start: date) -> None:
    """Notify admins of the organizers that reached a new threshold."""
    capacity = platform_of(connection).capacity
    if capacity is None:
        return
    reached = []
    for row in OrganizerUsage.objects.filter(connection=connection, window_start=start).order_by("-meetings", "pk"):
        percent = capacity.percent_of(row.meetings)
        threshold = max((each for each in THRESHOLDS if percent >= each), default=0)
        not_notified = OrganizerUsage.objects.filter(pk=row.pk, notified_percent__lt=threshold)
        if not_notified.update(notified_percent=threshold):
            reached.append(row)
    capacity_report.notify_admins(connection, reached)

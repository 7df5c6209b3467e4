"""Counts above the user table of a connection's dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, FilteredRelation, Q

from integrations.models import Connection, MatchStatus
from staff.models import StaffMember


@dataclass(frozen=True)
class UserCounts:
    """Number of active staff members: all of them, and by match status and Video Calls switch."""

    total: int
    by_status_and_switch: Mapping[tuple[str, bool], int]

    @property
    def matched(self) -> int:
        return self.filtered(status=MatchStatus.MATCHED)

    @property
    def unmatched(self) -> int:
        return self.filtered(status=MatchStatus.UNMATCHED)

    @property
    def forbidden(self) -> int:
        return self.filtered(status=MatchStatus.FORBIDDEN)

    @property
    def checking(self) -> int:
        """Staff members without a result yet, with or without a match row."""
        return self.total - self.matched - self.unmatched - self.forbidden

    @property
    def on(self) -> int:
        return self.filtered(video="on")

    def filtered(self, *, status: str = "", video: str = "") -> int:
        """Return the number of staff members that the filter keeps; `video` is "on", "off" or ""."""
        if not status and video != "on":
            return self.total - (self.on if video else 0)
        return sum(
            count
            for (row_status, is_on), count in self.by_status_and_switch.items()
            if (not status or row_status == status) and (not video or is_on == (video == "on"))
        )


def count_users(connection: Connection) -> UserCounts:
    """Count the active staff members of the connection's organisation. One query."""
    rows = (
        StaffMember.objects.active_in(connection.organization_id)
        .annotate(match=FilteredRelation("video_matches", condition=Q(video_matches__connection=connection.pk)))
        .order_by()
        .values_list("match__status", "match__enabled")
        .annotate(count=Count("pk"))
    )
    counts: Counter[tuple[str, bool]] = Counter()
    for status, enabled, count in rows:
        counts[status or "", bool(enabled)] = count
    return UserCounts(counts.total(), counts)

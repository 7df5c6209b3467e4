"""The counts above the table of a connection's dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from integrations.models import Connection, MatchStatus, UserMatch
from integrations.user_search import people
from staff.models import StaffMember


@dataclass(frozen=True)
class Tiles:
    """How many people there are: of each status, switched on or off, and at all."""

    everybody: int
    counts: Mapping[tuple[str, bool], int]

    @property
    def matched(self) -> int:
        return self.fitting(status=MatchStatus.MATCHED)

    @property
    def unmatched(self) -> int:
        return self.fitting(status=MatchStatus.UNMATCHED)

    @property
    def forbidden(self) -> int:
        return self.fitting(status=MatchStatus.FORBIDDEN)

    @property
    def checking(self) -> int:
        """Who has no answer yet, with or without a row."""
        return self.everybody - self.matched - self.unmatched - self.forbidden

    @property
    def on(self) -> int:
        return self.fitting(video="on")

    def fitting(self, *, status: str = "", video: str = "") -> int:
        """How many people the filter leaves."""
        if not status and video != "on":
            return self.everybody - (self.on if video else 0)
        return sum(
            count
            for (of_status, is_on), count in self.counts.items()
            if (not status or of_status == status) and (not video or is_on == (video == "on"))
        )


def tiles_of(connection: Connection) -> Tiles:
    """The counts above the table, over everybody. Two queries."""
    # Who left keeps the row. They are few: leaving them out is cheaper than a join of everybody with everybody.
    left = StaffMember.objects.filter(organization=connection.organization_id, is_active=False)
    rows = (
        UserMatch.objects.filter(connection=connection)
        .exclude(staff__in=left.order_by().values("pk"))
        .order_by()
        .values_list("status", "enabled")
        .annotate(people=Count("*"))
    )
    counts = {(status, is_on): count for status, is_on, count in rows}
    return Tiles(people(connection).count(), counts)

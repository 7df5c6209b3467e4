"""Which connection people's video appointments take place on: the default, or one that was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from integrations.models import Connection
from staff.models import StaffMember, VideoChoice


@dataclass(frozen=True)
class PeopleOn:
    """How many active people a connection has: by the organisation's default, and by a choice of their own."""

    by_default: int
    by_choice: int

    @property
    def everybody(self) -> int:
        return self.by_default + self.by_choice


def people_on(connection: Connection) -> PeopleOn:
    """Count the people whose video appointments take place on the connection. One query."""
    on_default = Q(video_choice=VideoChoice.DEFAULT)
    counts = StaffMember.objects.filter(organization=connection.organization_id, is_active=True).aggregate(
        by_default=Count("pk", filter=on_default),
        by_choice=Count("pk", filter=Q(video_connection=connection)),
    )
    return PeopleOn(counts["by_default"] if connection.is_default else 0, counts["by_choice"])

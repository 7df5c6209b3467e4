"""Who can host video appointments, decided in the database: for counts, where `hosting_of` would load everybody."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms import platform_of
from staff.models import Organization, StaffMember, VideoChoice


def hosts_of(organization: Organization) -> QuerySet[StaffMember]:
    """The organisation's active staff of whom `hosting_of` says that they can host. Asks once, for the connections."""
    offered = [
        connection
        for connection in Connection.objects.live().filter(organization=organization)
        if platform_of(connection).is_offered_to(organization)
    ]
    default = next((connection.pk for connection in offered if connection.is_default), None)
    able = UserMatch.objects.filter(staff=OuterRef("pk"), enabled=True, status=MatchStatus.MATCHED)
    chosen = able.filter(connection=OuterRef("video_connection"))
    can_host = (
        Q(video_choice=VideoChoice.PERSONAL)
        | Q(
            Exists(chosen),
            video_choice=VideoChoice.CONNECTION,
            video_connection__in=[connection.pk for connection in offered],
        )
        | Q(Exists(able.filter(connection=default)), video_choice=VideoChoice.DEFAULT)
    )
    return StaffMember.objects.filter(can_host, organization=organization, is_active=True).order_by()

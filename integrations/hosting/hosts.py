"""Who can host video appointments, decided in the database: for counts, where `hosting_of` would load everybody."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.registry import all_platforms
from staff.models import Organization, StaffMember, VideoChoice


def hosts_of(organization: Organization) -> QuerySet[StaffMember]:
    """The organisation's active staff of whom `hosting_of` says that they can host."""
    offered = [each.slug for each in all_platforms() if each.is_offered_to(organization)]
    connections = Connection.objects.live().filter(organization=organization, platform__in=offered).order_by()
    able = UserMatch.objects.filter(
        staff=OuterRef("pk"),
        enabled=True,
        status=MatchStatus.MATCHED,
        connection__in=connections.values("pk"),
    )
    can_host = (
        Q(video_choice=VideoChoice.PERSONAL)
        | Q(Exists(able.filter(connection=OuterRef("video_connection"))), video_choice=VideoChoice.CONNECTION)
        | Q(Exists(able.filter(connection__is_default=True)), video_choice=VideoChoice.DEFAULT)
    )
    return StaffMember.objects.filter(can_host, organization=organization, is_active=True).order_by()

"""Eligibility of staff to host video appointments: on which connection or link, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.hosting.blocking_reasons import BlockingReason, blocking_reason_of, no_platform
from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.registry import all_platforms
from staff.models import Organization, StaffMember, VideoChoice


@dataclass(frozen=True)
class Hosting:
    """Place of a staff member's new video appointments: a connection, or `personal_url`.

    `personal_note` is shown next to the personal link. `blocking_reason` is None if the staff member can host.
    """

    staff_id: int
    connection: Connection | None = None
    match: UserMatch | None = None
    personal_url: str = ""
    personal_note: str = ""
    blocking_reason: BlockingReason | None = None

    @property
    def can_host(self) -> bool:
        return self.blocking_reason is None

    @property
    def problem(self) -> str:
        """Return a sentence with the name and the remedy, or "" if the staff member can host."""
        return "" if self.blocking_reason is None else self.blocking_reason.sentence


def hosting_of(staff: Sequence[StaffMember]) -> dict[int, Hosting]:
    """Return the hosting of these staff members, by staff id. Two queries."""
    connections = _connections_of(staff)
    matches = _matches_of(connections)
    return {member.pk: _hosting(member, connections.get(member.pk), matches.get(member.pk)) for member in staff}


def _connections_of(staff: Sequence[StaffMember]) -> dict[int, Connection]:
    """Return the connection that each staff member chose, or the default of the organisation, by staff id."""
    chosen = {member.video_connection_id for member in staff if member.video_choice == VideoChoice.CONNECTION}
    by_default = {member.organization_id for member in staff if member.video_choice == VideoChoice.DEFAULT}
    found = Connection.objects.select_related("organization").filter(
        Q(pk__in=chosen) | Q(is_default=True, organization__in=by_default - {None})
    )
    by_id = {connection.pk: connection for connection in found}
    defaults = {connection.organization_id: connection for connection in found if connection.is_default}
    connections: dict[int, Connection] = {}
    for member in staff:
        candidates = {
            VideoChoice.CONNECTION.value: by_id.get(member.video_connection_id or 0),
            VideoChoice.DEFAULT.value: defaults.get(member.organization_id or 0),
        }
        connection = candidates.get(member.video_choice)
        if connection is not None and connection.organization_id == member.organization_id:
            connections[member.pk] = connection
    return connections


def _matches_of(connections: Mapping[int, Connection]) -> dict[int, UserMatch]:
    candidates = UserMatch.objects.filter(staff__in=connections.keys(), connection__in=connections.values())
    return {match.staff_id: match for match in candidates if match.connection_id == connections[match.staff_id].pk}


def _hosting(member: StaffMember, connection: Connection | None, match: UserMatch | None) -> Hosting:
    if member.video_choice == VideoChoice.PERSONAL:
        url, note = member.personal_meeting_url, member.personal_meeting_note
        return Hosting(member.pk, personal_url=url, personal_note=note)
    if connection is None:
        return Hosting(member.pk, blocking_reason=no_platform(member))
    return Hosting(member.pk, connection, match, blocking_reason=blocking_reason_of(member, connection, match))


def staff_able_to_host(organization: Organization) -> QuerySet[StaffMember]:
    """Return the organisation's active staff whose `hosting_of` has no blocking reason."""
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
    return StaffMember.objects.active_in(organization).filter(can_host).order_by()

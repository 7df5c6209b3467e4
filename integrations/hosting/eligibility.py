"""Where a person hosts video appointments, and if they cannot be offered, why not and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.hosting.reasons import BlockingReason, blocking_reason_of, no_platform
from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.registry import all_platforms
from staff.models import Organization, StaffMember, VideoChoice


@dataclass(frozen=True)
class Hosting:
    """Where one person's new video appointments take place.

    `blocking_reason` is None for somebody who can host. Somebody with `personal_url` hosts there, without a connection;
    `personal_note` is what the person wants to be read beside it.
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
        """Why not, in a sentence that names the person and the remedy; "" for somebody who can host."""
        return "" if self.blocking_reason is None else self.blocking_reason.sentence


def hosting_of(staff: Sequence[StaffMember]) -> dict[int, Hosting]:
    """Where each of these people hosts, by staff id. Two queries for any number of people."""
    connections = _connections_of(staff)
    matches = _matches_of(connections)
    return {
        member.pk: _hosting(member, connections.get(member.pk), matches.get(member.pk)) for member in staff
    }


def _connections_of(staff: Sequence[StaffMember]) -> dict[int, Connection]:
    """The connection that each person chose, or the default of the person's organisation."""
    chosen = {member.video_connection_id for member in staff if member.video_choice == VideoChoice.CONNECTION}
    by_default = {member.organization_id for member in staff if member.video_choice == VideoChoice.DEFAULT}
    found = Connection.objects.select_related("organization").filter(
        Q(pk__in=chosen) | Q(is_default=True, organization__in=by_default - {None})
    )
    by_id = {connection.pk: connection for connection in found}
    defaults = {connection.organization_id: connection for connection in found if connection.is_default}
    connections: dict[int, Connection] = {}
    for member in staff:
        by_choice = {VideoChoice.CONNECTION.value: by_id.get(member.video_connection_id or 0)}
        by_choice[VideoChoice.DEFAULT.value] = defaults.get(member.organization_id or 0)
        connection = by_choice.get(member.video_choice)
        if connection is not None and connection.organization_id == member.organization_id:
            connections[member.pk] = connection
    return connections


def _matches_of(connections: Mapping[int, Connection]) -> dict[int, UserMatch]:
    candidates = UserMatch.objects.filter(staff__in=connections.keys(), connection__in=connections.values())
    return {
        match.staff_id: match for match in candidates if match.connection_id == connections[match.staff_id].pk
    }


def _hosting(member: StaffMember, connection: Connection | None, match: UserMatch | None) -> Hosting:
    if member.video_choice == VideoChoice.PERSONAL:
        url, note = member.personal_meeting_url, member.personal_meeting_note
        return Hosting(member.pk, personal_url=url, personal_note=note)
    if connection is None:
        return Hosting(member.pk, blocking_reason=no_platform(member))
    return Hosting(
        member.pk, connection, match, blocking_reason=blocking_reason_of(member, connection, match)
    )


def staff_able_to_host(organization: Organization) -> QuerySet[StaffMember]:
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
    return StaffMember.objects.active_in(organization).filter(can_host).order_by()

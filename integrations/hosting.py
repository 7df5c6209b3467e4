"""Where a person hosts video appointments, and if they cannot be offered, why not and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms import platform_of
from staff.models import StaffMember, VideoChoice


@dataclass(frozen=True)
class Hosting:
    """Where one person's new video appointments take place.

    `problem` is "" for somebody who can host, else a sentence that names the person and the remedy. Somebody with
    `personal_url` hosts there, without a connection.
    """

    staff_id: int
    connection: Connection | None = None
    match: UserMatch | None = None
    personal_url: str = ""
    problem: str = ""

    @property
    def can_host(self) -> bool:
        return not self.problem


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
        wanted = {VideoChoice.CONNECTION.value: by_id.get(member.video_connection_id or 0)}
        wanted[VideoChoice.DEFAULT.value] = defaults.get(member.organization_id or 0)
        connection = wanted.get(member.video_choice)
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
        return Hosting(member.pk, personal_url=member.personal_meeting_url)
    problem = _problem(member, connection, match)
    return Hosting(member.pk, connection, match, problem=problem)


def _problem(member: StaffMember, connection: Connection | None, match: UserMatch | None) -> str:
    """Why this person cannot be offered.

    A connection that needs to be reauthorized, or whose platform is down, is no reason: the appointment is booked,
    its meeting waits, and the link follows.
    """
    if connection is None:
        return (
            _(
                "%s has no video platform. An admin can connect one, or make one the default, under "
                "Settings > Video Calls."
            )
            % member.name
        )
    words = {"person": member.name, "platform": connection.name}
    return _problem_of_connection(connection, words) or _problem_of_match(match, words)


def _problem_of_connection(connection: Connection, words: dict[str, str]) -> str:
    if not connection.is_live:
        return (
            _(
                "%(platform)s, where %(person)s hosts video appointments, is disconnected. Choose another Video Calls "
                "Platform in the profile of %(person)s, or connect it again under Settings > Video Calls."
            )
            % words
        )
    if not platform_of(connection).is_offered_to(connection.organization):
        return (
            _(
                "%(platform)s is an optional add-on that is switched off, so that %(person)s cannot be booked for new "
                "video appointments. Please contact your Customer Success Team."
            )
            % words
        )
    return ""


def _problem_of_match(match: UserMatch | None, words: dict[str, str]) -> str:
    if match is None or not match.enabled:
        return (
            _("Video Calls is off for %(person)s. An admin can turn it on under Settings > Video Calls.")
            % words
        )
    if match.status == MatchStatus.MATCHED:
        return ""
    return _SENTENCES[MatchStatus(match.status)] % words


_SENTENCES = {
    MatchStatus.CHECKING: _lazy(
        "%(platform)s has not answered yet whether it knows %(person)s. Try again in a minute."
    ),
    MatchStatus.UNMATCHED: _lazy(
        "%(person)s is not matched with a user of %(platform)s. An admin can see why, and what to do, under "
        "Settings > Video Calls."
    ),
    MatchStatus.FORBIDDEN: _lazy(
        "%(platform)s does not let %(person)s host video appointments. An admin can see why, and what to do, under "
        "Settings > Video Calls."
    ),
}

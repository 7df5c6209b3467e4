"""Rows of the user table on a connection's dashboard: each staff member and the match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from integrations.matching.people import shared_remote_ids
from integrations.models import Connection, HostPermission, MatchStatus, UserMatch
from integrations.platforms.registry import platform_of
from integrations.platforms.values import Script
from staff.models import StaffMember


@dataclass(frozen=True)
class UserRow:
    """Row of a staff member on the dashboard, with the names of those matched to the same remote user."""

    connection: Connection
    member: StaffMember
    match: UserMatch | None = None
    shares_with: tuple[str, ...] = ()

    @property
    def user_name(self) -> str:
        """User name that the connection looks up."""
        return str(getattr(self.member, self.connection.match_field))

    @property
    def remedy(self) -> str:
        """Advice, line by line, if the staff member isn't matched; else ""."""
        if self.match is None:
            return ""
        if self.is_outdated:
            return _("Being looked up again.")
        if self.status in (MatchStatus.MATCHED, MatchStatus.CHECKING):
            return ""
        return platform_of(self.connection).remedy(self.connection, self.match)

    @property
    def scripts(self) -> Sequence[Script]:
        """Scripts for the platform's administrator if only the host permission is missing."""
        if self.match is None or self.is_outdated or not self.match.needs_permission:
            return ()
        return platform_of(self.connection).grant_scripts(self.connection, [self.match.remote_id])

    @property
    def scripts_id(self) -> str:
        """Beginning of the ids of the scripts' elements."""
        return f"script-{self.member.pk}"

    @property
    def alias_name(self) -> str:
        """User name that the platform suggests instead of an alias; else ""."""
        return self.match.other_name if self.match is not None and not self.is_outdated else ""

    @property
    def is_waiting_for_permission(self) -> bool:
        return self.match is not None and self.match.host_permission == HostPermission.WAITING

    @property
    def is_unsettled(self) -> bool:
        """Return whether a new result is on its way that the page should show."""
        return self.is_waiting_for_permission or self.is_outdated or self.status == MatchStatus.CHECKING

    @property
    def is_outdated(self) -> bool:
        """Return whether the result belongs to a previous user name, and a new lookup is due."""
        return self.match is not None and self.connection.is_healthy and self.match.queried_name != self.user_name

    @property
    def is_on(self) -> bool:
        return self.match is not None and self.match.enabled

    @property
    def status(self) -> MatchStatus:
        return MatchStatus(self.match.status) if self.match is not None else MatchStatus.CHECKING


def user_rows(connection: Connection, members: Sequence[StaffMember]) -> list[UserRow]:
    """Return the rows of these staff members, in their order. One query, or two if a remote user is shared."""
    found = UserMatch.objects.filter(connection=connection, staff__in=[member.pk for member in members])
    matches = {match.staff_id: match for match in found.with_sharing()}
    shared = shared_remote_ids(connection, [match.remote_id for match in matches.values() if match.is_shared])
    rows = []
    for member in members:
        match = matches.get(member.pk)
        others = shared.get(match.remote_id, []) if match is not None else []
        names = tuple(other.staff.name for other in others if other.staff_id != member.pk)
        rows.append(UserRow(connection, member, match, names))
    return rows

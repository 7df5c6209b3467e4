"""Hooks for apps above: the owner of a meeting, the page of a meeting, and notices on Video Calls pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from integrations.models import Connection
from staff.hooks import Registry
from staff.models import Organization, StaffMember
from staff.notices import Notice


class MeetingOwner(Protocol):
    """An app that requests meetings."""

    def owned(self, meeting_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those of the given meetings that belong to the app. One query."""
        ...

    def repair(self, connection: Connection) -> int:
        """Request again what differs from what the meeting was made for, and record a finding for each.

        Returns the number of repaired meetings. Makes no call; uses short transactions.
        """
        ...

    def follow_organizers(self, meeting_ids: Collection[UUID]) -> int:
        """Replace those of the given meetings that `meetings.organizers.replacement_of` replaces.

        Returns the number of new meetings. Makes no call; uses short transactions.
        """
        ...


@dataclass(frozen=True)
class MeetingPage:
    """A page that an admin of the meeting's organisation may open. `label` names the subject of the page."""

    address: str
    label: str


#: Returns the page for each known id among the given meetings. One query.
MeetingPageFinder = Callable[[Collection[UUID]], Mapping[UUID, MeetingPage]]
#: Returns the notice for an admin about the organisation, or about one person, or None. The dashboard calls each hook
#: on every request, so the number of queries must be constant and each of them fast.
ConnectionNotice = Callable[[Organization, StaffMember | None], Notice | None]

meeting_owners: Final[Registry[MeetingOwner]] = Registry()
meeting_pages: Final[Registry[MeetingPageFinder]] = Registry()
connection_notices: Final[Registry[ConnectionNotice]] = Registry()


def pages_of(meeting_ids: Collection[UUID]) -> dict[UUID, MeetingPage]:
    """Return the page that each meeting was made for. Unknown meetings are left out."""
    found: dict[UUID, MeetingPage] = {}
    for find_pages in meeting_pages:
        found.update(find_pages(meeting_ids))
    return found


def notices_of(organization: Organization, person: StaffMember | None = None) -> list[Notice]:
    """Return the notices for an admin, about one person if `person` is given."""
    notices = (notice_of(organization, person) for notice_of in connection_notices)
    return [notice for notice in notices if notice is not None]

"""Meetings that failed: what an admin sees of them, and trying them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations import meetings, whereabouts
from integrations.connections import note_event
from integrations.models import Connection, EventKind, Meeting, Wanted
from staff.models import Organization, StaffMember

PER_PAGE = 25
#: Nothing that began longer ago is still going on: how far back the index on the start needs to be read.
_LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True)
class FailedLink:
    """`place` is the page of what the meeting was made for, None where there is none (any more)."""

    meeting: Meeting
    place: whereabouts.Page | None

    @property
    def name(self) -> str:
        return self.place.label if self.place is not None else self.meeting.subject

    @property
    def what(self) -> str:
        """What failed, in a few words; the meeting's sentence says why."""
        if self.meeting.wanted == Wanted.GONE:
            return _("Not deleted")
        return _("Last change refused") if self.meeting.join_url else _("No link")


def failed_links(connection: Connection) -> QuerySet[Meeting]:
    """The connection's failed meetings that are not over yet, the next one first."""
    to_come = Meeting.objects.failed().filter(starts_at__gt=Now() - _LONGEST, ends_at__gt=Now())
    return to_come.filter(connection=connection).order_by("starts_at", "pk")


def meetings_without_link(organization: Organization, now: datetime) -> QuerySet[Meeting]:
    """The organisation's meetings that failed before they had a link and are not over at `now`, on any connection."""
    connections = Connection.objects.filter(organization=organization).order_by()
    to_come = Meeting.objects.failed().filter(starts_at__gt=now - _LONGEST, ends_at__gt=now)
    return to_come.filter(connection__in=connections.values("pk"), wanted=Wanted.LIVE, join_url="")


def page_of(connection: Connection, number: str | None) -> Page[Meeting]:
    """The page `number` of the failed meetings, their hosts loaded; what makes no sense is the nearest page."""
    return Paginator(failed_links(connection).select_related("host"), PER_PAGE).get_page(number)


def links_on(page: Page[Meeting]) -> list[FailedLink]:
    """The rows of a page. Two queries for any number of them."""
    shown = list(page.object_list)
    pages = whereabouts.pages_of([meeting.pk for meeting in shown])
    return [FailedLink(meeting, pages.get(meeting.pk)) for meeting in shown]


def try_again(connection: Connection, meeting_id: UUID | None, actor: StaffMember) -> int:
    """Try one failed meeting again, or all of them, and note who asked; returns how many will be tried."""
    chosen = failed_links(connection)
    if meeting_id is not None:
        chosen = chosen.filter(pk=meeting_id)
    tried = meetings.try_again(chosen)
    if tried:
        note_event(connection, EventKind.NOTED, actor, _words(tried))
    return tried


def _words(tried: int) -> str:
    words = ngettext("%d failed link is tried again.", "%d failed links are tried again.", tried)
    return words % tried

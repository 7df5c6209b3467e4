"""Meetings that failed: what an admin sees of them, and trying them again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.events import note_event
from integrations.hooks import MeetingPage, pages_of
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings import requests
from integrations.models import Connection, DesiredState, EventKind, MatchStatus, Meeting
from staff.models import Organization, StaffMember

PER_PAGE = 25
#: Nothing that began longer ago is still going on: how far back the index on the start needs to be read.
_LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True)
class Hindrance:
    """Why another try would fail, or make a link that its host does not use. `page` is where it is mended.

    Without a page the host hosts elsewhere by now, where a link can be made instead.
    """

    reason: str
    page: MeetingPage | None = None


@dataclass(frozen=True)
class FailedLink:
    """`place` is the page of what the meeting was made for, None where there is none (any more)."""

    meeting: Meeting
    place: MeetingPage | None
    hindrance: Hindrance | None = None

    @property
    def name(self) -> str:
        return self.place.label if self.place is not None else self.meeting.subject

    @property
    def what(self) -> str:
        """What failed, in a few words; the meeting's sentence says why."""
        if self.meeting.desired_state == DesiredState.ABSENT:
            return _("Not deleted")
        if not self.meeting.join_url:
            return _("No link")
        is_change = self.meeting.synced_version != self.meeting.version
        return _("Last change refused") if is_change else _("Could not be compared")


@dataclass(frozen=True)
class Tried:
    """How many will be tried again, and whose hosts cannot host there any more: each a name and the reason."""

    number: int
    hindered: tuple[str, ...] = ()


def failed_links(connection: Connection) -> QuerySet[Meeting]:
    """The connection's failed meetings that are not over yet, the next one first."""
    return _to_come().filter(connection=connection).order_by("starts_at", "pk")


def count_by_connection(connections: Collection[Connection]) -> dict[int, int]:
    """How many failed links each of these has, by id; those without any are left out. One query."""
    rows = _to_come().filter(connection__in=connections).order_by().values_list("connection")
    return dict(rows.annotate(Count("pk")))


def _to_come() -> QuerySet[Meeting]:
    return Meeting.objects.failed().filter(starts_at__gt=Now() - _LONGEST, ends_at__gt=Now())


def meetings_without_link(organization: Organization, now: datetime) -> QuerySet[Meeting]:
    """The organisation's meetings that failed before they had a link and are not over at `now`, on any connection."""
    connections = Connection.objects.filter(organization=organization).order_by()
    to_come = Meeting.objects.failed().filter(starts_at__gt=now - _LONGEST, ends_at__gt=now)
    return to_come.filter(
        connection__in=connections.values("pk"), desired_state=DesiredState.PRESENT, join_url=""
    )


def page_of(connection: Connection, number: str | None) -> Page[Meeting]:
    """The page `number` of the failed meetings, their hosts loaded; what makes no sense is the nearest page."""
    return Paginator(failed_links(connection).select_related("host"), PER_PAGE).get_page(number)


def links_on(page: Page[Meeting]) -> list[FailedLink]:
    """The rows of a page. Four queries for any number of them."""
    shown = list(page.object_list)
    pages = pages_of([meeting.pk for meeting in shown])
    hindered = _hindrances(shown)
    return [FailedLink(meeting, pages.get(meeting.pk), hindered.get(meeting.pk)) for meeting in shown]


def try_again(connection: Connection, meeting_id: UUID | None, actor: StaffMember) -> Tried:
    """Try one failed meeting again, or all of them, and note who asked."""
    chosen = failed_links(connection)
    if meeting_id is not None:
        chosen = chosen.filter(pk=meeting_id)
    hindered = _names_and_reasons(list(chosen.select_related("host")))
    tried = requests.try_again(chosen)
    if tried:
        note_event(connection, EventKind.NOTED, actor, _words(tried))
    return Tried(tried, hindered)


def _hindrances(failed: list[Meeting]) -> dict[UUID, Hindrance]:
    """Those of them whose host cannot host there any more. Two queries."""
    live = [meeting for meeting in failed if meeting.desired_state == DesiredState.PRESENT]
    hostings = hosting_of(list({meeting.host_id: meeting.host for meeting in live}.values()))
    found = {meeting.pk: _hindrance(meeting, hostings[meeting.host_id]) for meeting in live}
    return {pk: hindrance for pk, hindrance in found.items() if hindrance is not None}


def _hindrance(meeting: Meeting, hosting: Hosting) -> Hindrance | None:
    if hosting.personal_url:
        return Hindrance(_("Hosts on a personal link now."))
    if hosting.connection is not None and hosting.connection.pk != meeting.connection_id:
        return Hindrance(_("Hosts on %(name)s now.") % {"name": hosting.connection.name})
    if hosting.blocking_reason is None or _is_only_off(hosting):
        return None
    return Hindrance(hosting.blocking_reason.reason, hosting.blocking_reason.page)


def _is_only_off(hosting: Hosting) -> bool:
    """What is booked already gets its link although Video Calls was turned off since."""
    return hosting.match is not None and hosting.match.status == MatchStatus.MATCHED


def _names_and_reasons(failed: list[Meeting]) -> tuple[str, ...]:
    hindered = _hindrances(failed)
    by_host = {
        each.host_id: (each.host.name, hindered[each.pk].reason) for each in failed if each.pk in hindered
    }
    words = _("%(name)s: %(reason)s")
    return tuple(words % {"name": name, "reason": reason} for name, reason in sorted(by_host.values()))


def _words(tried: int) -> str:
    words = ngettext("%d failed link is tried again.", "%d failed links are tried again.", tried)
    return words % tried

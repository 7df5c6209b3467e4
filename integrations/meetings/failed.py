"""Failed meetings: the list for admins, and Try again."""

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

from integrations.events import record_event
from integrations.hooks import MeetingPage, pages_of
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings import requests
from integrations.meetings.organizers import request_follow
from integrations.models import Connection, DesiredState, EventKind, MatchStatus, Meeting
from staff.models import Organization, StaffMember

PER_PAGE = 25
#: No meeting is longer. Limits how far back the index on the start is read.
_MAX_DURATION: Final = timedelta(days=1)


@dataclass(frozen=True)
class RetryBlocker:
    """Reason why Try again would fail, or would make a link that the host doesn't use.

    `page` is the page to fix it. It is None if the host hosts elsewhere now, where a link can be made instead.
    """

    reason: str
    page: MeetingPage | None = None


@dataclass(frozen=True)
class FailedLink:
    """A failed meeting, and the page that it was made for, or None if there is no such page any more."""

    meeting: Meeting
    page: MeetingPage | None
    blocker: RetryBlocker | None = None

    @property
    def name(self) -> str:
        return self.page.label if self.page is not None else self.meeting.subject

    @property
    def failure(self) -> str:
        """Return what failed in a few words. The meeting's `error` says why."""
        if self.meeting.desired_state == DesiredState.ABSENT:
            return _("Not deleted")
        if not self.meeting.join_url:
            return _("No link")
        is_change = self.meeting.synced_version != self.meeting.version
        return _("Last change refused") if is_change else _("Could not be compared")


@dataclass(frozen=True)
class RetryResult:
    """Number of meetings that are tried again, and a text for each host who can't host there: name and reason."""

    number: int
    blocked_hosts: tuple[str, ...] = ()


def failed_links(connection: Connection) -> QuerySet[Meeting]:
    """Return the connection's failed meetings that haven't ended, earliest first."""
    return _failed_and_not_ended().filter(connection=connection).order_by("starts_at", "pk")


def count_by_connection(connections: Collection[Connection]) -> dict[int, int]:
    """Return the number of failed meetings by connection id, without zeros. One query."""
    rows = _failed_and_not_ended().filter(connection__in=connections).order_by().values_list("connection")
    return dict(rows.annotate(Count("pk")))


def _failed_and_not_ended() -> QuerySet[Meeting]:
    return Meeting.objects.failed().filter(starts_at__gt=Now() - _MAX_DURATION, ends_at__gt=Now())


def meetings_without_link(organization: Organization, now: datetime) -> QuerySet[Meeting]:
    """Return the organisation's meetings that failed without a link and haven't ended at `now`, on any connection."""
    connections = Connection.objects.filter(organization=organization).order_by()
    failed = Meeting.objects.failed().filter(starts_at__gt=now - _MAX_DURATION, ends_at__gt=now)
    return failed.filter(connection__in=connections.values("pk"), desired_state=DesiredState.PRESENT, join_url="")


def page_of(connection: Connection, number: str | None) -> Page[Meeting]:
    """Return a page of the failed meetings with their hosts. An invalid number gives the nearest page."""
    return Paginator(failed_links(connection).select_related("host"), PER_PAGE).get_page(number)


def rows_on(page: Page[Meeting]) -> list[FailedLink]:
    """Return the rows of a page. Four queries for any number of rows."""
    meetings = list(page.object_list)
    pages = pages_of([meeting.pk for meeting in meetings])
    blockers = _retry_blockers(meetings)
    return [FailedLink(each, pages.get(each.pk), blockers.get(each.pk)) for each in meetings]


def try_again(connection: Connection, meeting_id: UUID | None, actor: StaffMember) -> RetryResult:
    """Try one failed meeting again, or all of them, and record an event with the actor."""
    chosen = failed_links(connection)
    if meeting_id is not None:
        chosen = chosen.filter(pk=meeting_id)
    blocked_hosts = _names_and_reasons(list(chosen.select_related("host")))
    retried = requests.try_again(chosen)
    if retried:
        record_event(connection, EventKind.LINKS_RETRIED, actor, count=retried)
        # Under a former organizer, a meeting would fail again.
        request_follow(connection)
    return RetryResult(retried, blocked_hosts)


def _retry_blockers(failed: list[Meeting]) -> dict[UUID, RetryBlocker]:
    """Return the blocker of each meeting whose host can't host there any more. Two queries."""
    live = [meeting for meeting in failed if meeting.desired_state == DesiredState.PRESENT]
    hostings = hosting_of(list({meeting.host_id: meeting.host for meeting in live}.values()))
    found = {meeting.pk: _retry_blocker(meeting, hostings[meeting.host_id]) for meeting in live}
    return {pk: blocker for pk, blocker in found.items() if blocker is not None}


def _retry_blocker(meeting: Meeting, hosting: Hosting) -> RetryBlocker | None:
    if hosting.personal_url:
        return RetryBlocker(_("Hosts on a personal link now."))
    if hosting.connection is not None and hosting.connection.pk != meeting.connection_id:
        return RetryBlocker(_("Hosts on %(name)s now.") % {"name": hosting.connection.name})
    if hosting.blocking_reason is None or _is_only_off(hosting):
        return None
    return RetryBlocker(hosting.blocking_reason.reason, hosting.blocking_reason.page)


def _is_only_off(hosting: Hosting) -> bool:
    """Return whether only Video Calls is off. Booked appointments get their links anyway."""
    return hosting.match is not None and hosting.match.status == MatchStatus.MATCHED


def _names_and_reasons(failed: list[Meeting]) -> tuple[str, ...]:
    blockers = _retry_blockers(failed)
    by_host = {each.host_id: (each.host.name, blockers[each.pk].reason) for each in failed if each.pk in blockers}
    words = _("%(name)s: %(reason)s")
    return tuple(words % {"name": name, "reason": reason} for name, reason in sorted(by_host.values()))

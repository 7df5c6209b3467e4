"""The table of a connection's dashboard: who it shows, in which order, and what the platform said about each.

Everything is decided in the database, so that a page costs the same for ten people and for 50,000.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from integrations.matching import shared_remote_ids
from integrations.models import Connection, Coverage, MatchStatus, UserMatch
from integrations.platforms import platform_of
from staff.models import StaffMember

ROWS = (25, 50, 100)


class TableFilter(forms.Form):
    """What the address says about the table; a value that makes no sense is as if it were not there."""

    search = forms.CharField(label=_("Search users"), required=False, max_length=200)
    video = forms.ChoiceField(
        label=_("Video Calls"),
        required=False,
        choices=[("", _("On or off")), ("on", _("On")), ("off", _("Off"))],
    )
    status = forms.ChoiceField(
        label=_("Match status"),
        required=False,
        choices=[
            ("", _("Every status")),
            *[(s.value, s.label) for s in MatchStatus if s != MatchStatus.CHECKING],
        ],
    )
    sort = forms.ChoiceField(required=False, choices=[("", "A–Z"), ("-name", "Z–A")])
    rows = forms.ChoiceField(required=False, choices=[(str(rows), str(rows)) for rows in ROWS])

    def value(self, name: str) -> str:
        """The cleaned value of a field, "" where it was left out or made no sense."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    @property
    def rows_per_page(self) -> int:
        return int(self.value("rows") or ROWS[0])

    @property
    def is_narrowed(self) -> bool:
        """Whether somebody may be missing from the table because of the filter."""
        return any(self.value(name) for name in ("search", "video", "status"))


@dataclass(frozen=True)
class UserRow:
    """One person on the dashboard. `remedy` says what to do about somebody who is not matched.

    `script` is what the platform's administrator runs, where a permission is all that is missing.
    """

    member: StaffMember
    match: UserMatch | None
    remedy: str
    shares_with: tuple[str, ...]
    script: str = ""

    @property
    def is_unsettled(self) -> bool:
        """Whether an answer is under way that the page should show when it is there."""
        is_waiting = self.match is not None and self.match.coverage == Coverage.WAITING
        return is_waiting or self.status == MatchStatus.CHECKING

    @property
    def is_on(self) -> bool:
        return self.match is not None and self.match.enabled

    @property
    def status(self) -> MatchStatus:
        return MatchStatus(self.match.status) if self.match is not None else MatchStatus.CHECKING


@dataclass(frozen=True)
class Tiles:
    """How many people there are of each status, and how many are on."""

    matched: int
    unmatched: int
    forbidden: int
    checking: int
    on: int

    @property
    def everybody(self) -> int:
        return self.matched + self.unmatched + self.forbidden + self.checking


def people(connection: Connection) -> QuerySet[StaffMember]:
    """Everybody of the organisation who works there, whether or not the platform was asked about them yet."""
    return StaffMember.objects.filter(organization=connection.organization_id, is_active=True)


def narrowed(connection: Connection, table_filter: TableFilter) -> QuerySet[StaffMember]:
    """The people that the search and the filter leave, unordered."""
    matches = UserMatch.objects.filter(connection=connection)
    found = people(connection)
    for word in table_filter.value("search").split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(username__icontains=word)
            | Q(pk__in=matches.filter(remote_upn__icontains=word).values("staff"))
        )
    if table_filter.value("status"):
        found = found.filter(pk__in=matches.filter(status=table_filter.value("status")).values("staff"))
    match table_filter.value("video"):
        case "on":
            found = found.filter(pk__in=matches.filter(enabled=True).values("staff"))
        case "off":
            found = found.exclude(pk__in=matches.filter(enabled=True).values("staff"))
    return found


def page_of(connection: Connection, table_filter: TableFilter, number: str | None) -> Page[StaffMember]:
    """The page `number`; a number that makes no sense gives the nearest page that exists."""
    order = ["first_name", "last_name", "email"]
    if table_filter.value("sort") == "-name":
        order = [f"-{name}" for name in order]
    found = narrowed(connection, table_filter).order_by(*order)
    return Paginator(found, table_filter.rows_per_page).get_page(number)


def rows_of(connection: Connection, members: list[StaffMember]) -> list[UserRow]:
    """The rows for these people, in their order. A constant number of queries."""
    found = UserMatch.objects.filter(connection=connection, staff__in=members)
    matches = {match.staff_id: match for match in found}
    shared = shared_remote_ids(connection, [match.remote_id for match in matches.values()])
    return [_row(connection, member, matches.get(member.pk), shared) for member in members]


def _row(
    connection: Connection,
    member: StaffMember,
    match: UserMatch | None,
    shared: Mapping[str, list[UserMatch]],
) -> UserRow:
    if match is None:
        return UserRow(member, None, "", ())
    others = [other.staff.name for other in shared.get(match.remote_id, []) if other.staff_id != member.pk]
    is_fine, platform = match.status in (MatchStatus.MATCHED, MatchStatus.CHECKING), platform_of(connection)
    remedy = "" if is_fine else platform.remedy(connection, match)
    script = platform.grant_script(connection, [match.remote_id]) if match.needs_grant else ""
    return UserRow(member, match, remedy, tuple(others), script)


def tiles_of(connection: Connection) -> Tiles:
    """The counts above the table, over everybody. Two queries."""
    statuses = (MatchStatus.MATCHED, MatchStatus.UNMATCHED, MatchStatus.FORBIDDEN)
    counts = UserMatch.objects.filter(connection=connection, staff__is_active=True).aggregate(
        on=Count("pk", filter=Q(enabled=True)),
        **{status.value: Count("pk", filter=Q(status=status)) for status in statuses},
    )
    answered = sum(counts[status.value] for status in statuses)
    return Tiles(**counts, checking=people(connection).count() - answered)

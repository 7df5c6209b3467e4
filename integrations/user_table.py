"""The table of a connection's dashboard: its pages, its counts, and what the platform said about each person.

Everything is decided in the database, so that a page costs the same for ten people and for 50,000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.matching import shared_remote_ids
from integrations.models import Connection, Coverage, MatchStatus, UserMatch
from integrations.platforms import platform_of
from integrations.user_search import Narrowed, TableFilter, narrowed, people
from staff.models import StaffMember

ORDER = ("first_name", "last_name", "email")
SHOWN = (*ORDER, "username")
#: How many people from an end of a long list it is quickest to walk there person by person.
NEAR = 2000


# --- Counts -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tiles:
    """How many people there are: of each status, switched on or off, and at all."""

    everybody: int
    counts: Mapping[tuple[str, bool], int]

    @property
    def matched(self) -> int:
        return self.fitting(status=MatchStatus.MATCHED)

    @property
    def unmatched(self) -> int:
        return self.fitting(status=MatchStatus.UNMATCHED)

    @property
    def forbidden(self) -> int:
        return self.fitting(status=MatchStatus.FORBIDDEN)

    @property
    def checking(self) -> int:
        """Who has no answer yet, with or without a row."""
        return self.everybody - self.matched - self.unmatched - self.forbidden

    @property
    def on(self) -> int:
        return self.fitting(video="on")

    def fitting(self, *, status: str = "", video: str = "") -> int:
        """How many people the filter leaves."""
        if not status and video != "on":
            return self.everybody - (self.on if video else 0)
        return sum(
            count
            for (of_status, is_on), count in self.counts.items()
            if (not status or of_status == status) and (not video or is_on == (video == "on"))
        )


def tiles_of(connection: Connection) -> Tiles:
    """The counts above the table, over everybody. Two queries."""
    # Who left keeps the row. They are few: leaving them out is cheaper than a join of everybody with everybody.
    left = StaffMember.objects.filter(organization=connection.organization_id, is_active=False)
    rows = (
        UserMatch.objects.filter(connection=connection)
        .exclude(staff__in=left.order_by().values("pk"))
        .order_by()
        .values_list("status", "enabled")
        .annotate(people=Count("*"))
    )
    counts = {(status, is_on): count for status, is_on, count in rows}
    return Tiles(people(connection).count(), counts)


# --- Pages ------------------------------------------------------------------------------------------
class NearerEndPaginator(Paginator):  # type: ignore[type-arg]
    """Pages whose number of people is known; those behind the middle are walked to from the end."""

    def __init__(self, found: Narrowed, order: Sequence[str], per_page: int, count: int) -> None:
        super().__init__(found.near.order_by(*order), per_page)
        self.found, self.order, self.count = found, order, count

    def page(self, number: int | str) -> Page[StaffMember]:
        """The page, with what the table shows of its people."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        ids = self._ids(first, last).values("pk")
        members = StaffMember.objects.filter(pk__in=ids).only(*SHOWN).order_by(*self.order)
        return Page(list(members), number, self)

    def _ids(self, first: int, last: int) -> QuerySet[StaffMember]:
        from_end = self.count - last
        # Of a few, the next one may be far away: then it is quicker to gather them.
        is_near = min(first, from_end) < NEAR < self.count / 5
        found = (self.found.near if is_near else self.found.far).order_by(*self.order)
        return found[first:last] if first <= from_end else found.reverse()[from_end : self.count - first]


def page_of(
    connection: Connection, table_filter: TableFilter, number: str | None, tiles: Tiles | None
) -> Page[StaffMember]:
    """The page `number`; a number that makes no sense gives the nearest page that exists.

    Without a search `tiles` say how many people there are; with one they are not needed.
    """
    order = [f"-{name}" for name in ORDER] if table_filter.value("sort") == "-name" else ORDER
    found = narrowed(connection, table_filter)
    count = (
        found.count()
        if table_filter.words or tiles is None
        else tiles.fitting(status=table_filter.value("status"), video=table_filter.value("video"))
    )
    return NearerEndPaginator(found, order, table_filter.rows_per_page, count).get_page(number)


# --- Rows -------------------------------------------------------------------------------------------
class RowTexts:
    """What the rows of one page share: words in the admin's language, and addresses.

    Made once, because there are a hundred rows, and a template takes ten times as long for each.
    """

    _ANY: Final = 2**31 - 1

    def __init__(self, connection: Connection) -> None:
        self.select, self.switch = _("Select %(name)s"), _("Video Calls for %(name)s")
        self.switched = {True: _("On"), False: _("Off")}
        self.statuses = {status: str(status.label) for status in MatchStatus}
        self._profile = reverse("staff-profile", args=[self._ANY])
        self._toggle = reverse("connection-toggle", args=[connection.pk, self._ANY])

    def profile_url(self, pk: int) -> str:
        return self._profile.replace(str(self._ANY), str(pk))

    def toggle_url(self, pk: int) -> str:
        return self._toggle.replace(str(self._ANY), str(pk))


@dataclass(frozen=True)
class UserRow:
    """One person on the dashboard. `remedy` says what to do about somebody who is not matched.

    `script` is what the platform's administrator runs, where a permission is all that is missing.
    """

    connection: Connection
    texts: RowTexts
    member: StaffMember
    match: UserMatch | None = None
    remedy: str = ""
    shares_with: tuple[str, ...] = ()
    script: str = ""

    @property
    def id(self) -> str:
        """A string: numbers are formatted for people."""
        return str(self.member.pk)

    @property
    def name(self) -> str:
        return self.member.name

    @property
    def user_name(self) -> str:
        """What the matched field holds."""
        return str(getattr(self.member, self.connection.match_field))

    @property
    def profile_url(self) -> str:
        return self.texts.profile_url(self.member.pk)

    @property
    def toggle_url(self) -> str:
        return self.texts.toggle_url(self.member.pk)

    @property
    def select_label(self) -> str:
        return self.texts.select % {"name": self.name}

    @property
    def switch_label(self) -> str:
        return self.texts.switch % {"name": self.name}

    @property
    def switch_word(self) -> str:
        return self.texts.switched[self.is_on]

    @property
    def status_label(self) -> str:
        return self.texts.statuses[self.status]

    @property
    def needs_remedy(self) -> bool:
        return bool(self.remedy or self.script)

    @property
    def is_unsettled(self) -> bool:
        """Whether an answer is under way that the page should show when it is there."""
        is_waiting = self.match is not None and self.match.coverage == Coverage.WAITING
        return is_waiting or self.is_outdated or self.status == MatchStatus.CHECKING

    @property
    def is_outdated(self) -> bool:
        """Whether the answer is about another user name than the present one, and a new one is on its way."""
        return (
            self.match is not None and self.connection.is_healthy and self.match.looked_up != self.user_name
        )

    @property
    def is_on(self) -> bool:
        return self.match is not None and self.match.enabled

    @property
    def status(self) -> MatchStatus:
        return MatchStatus(self.match.status) if self.match is not None else MatchStatus.CHECKING


def rows_of(connection: Connection, members: Sequence[StaffMember]) -> list[UserRow]:
    """The rows for these people, in their order. Two queries."""
    found = UserMatch.objects.filter(connection=connection, staff__in=[member.pk for member in members])
    matches = {match.staff_id: match for match in found}
    shared = shared_remote_ids(connection, [match.remote_id for match in matches.values()])
    texts = RowTexts(connection)
    return [_row(UserRow(connection, texts, member, matches.get(member.pk)), shared) for member in members]


def _row(row: UserRow, shared: Mapping[str, list[UserMatch]]) -> UserRow:
    """The row with what there is to say about its match."""
    connection, match = row.connection, row.match
    if match is None:
        return row
    others = [
        other.staff.name for other in shared.get(match.remote_id, []) if other.staff_id != match.staff_id
    ]
    if row.is_outdated:
        return replace(row, remedy=_("Being looked up again."), shares_with=tuple(others))
    is_fine, platform = match.status in (MatchStatus.MATCHED, MatchStatus.CHECKING), platform_of(connection)
    return replace(
        row,
        remedy="" if is_fine else platform.remedy(connection, match),
        shares_with=tuple(others),
        script=platform.grant_script(connection, [match.remote_id]) if match.needs_grant else "",
    )

"""The pages of the table on a connection's dashboard.

Everything is decided in the database, so that a page costs the same for ten people and for 50,000.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from integrations.dashboard.counts import Tiles
from integrations.dashboard.search import Narrowed, TableFilter, narrowed
from integrations.models import Connection
from staff.models import StaffMember

ORDER = ("first_name", "last_name", "email")
SHOWN = (*ORDER, "username")
#: How many people from an end of a long list it is quickest to walk there person by person.
NEAR = 2000


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


def _leaves_few(table_filter: TableFilter, tiles: Tiles | None) -> bool:
    """Whether the filter is known to leave few, before anything is searched for."""
    status, video = table_filter.value("status"), table_filter.value("video")
    return (
        tiles is not None and bool(status or video) and tiles.fitting(status=status, video=video) <= NEAR * 2
    )


def page_of(
    connection: Connection, table_filter: TableFilter, number: str | None, tiles: Tiles | None
) -> Page[StaffMember]:
    """The page `number`; a number that makes no sense gives the nearest page that exists.

    Without a search `tiles` say how many people there are; with one they are not needed.
    """
    order = [f"-{name}" for name in ORDER] if table_filter.value("sort") == "-name" else ORDER
    found = narrowed(connection, table_filter, are_few=_leaves_few(table_filter, tiles))
    count = (
        found.count()
        if table_filter.words or tiles is None
        else tiles.fitting(status=table_filter.value("status"), video=table_filter.value("video"))
    )
    return NearerEndPaginator(found, order, table_filter.rows_per_page, count).get_page(number)

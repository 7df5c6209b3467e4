"""Pages of the user table on a connection's dashboard."""

from __future__ import annotations

from django.core.paginator import Page, Paginator

from integrations.dashboard.counts import UserCounts
from integrations.dashboard.search import TableFilter, filtered_users
from integrations.models import Connection
from staff.models import StaffMember

ORDER = ("first_name", "last_name", "email")
SHOWN = (*ORDER, "username")


def users_page(
    connection: Connection, table_filter: TableFilter, number: str | None, counts: UserCounts | None
) -> Page[StaffMember]:
    """Return the page `number` of the users. An invalid number returns the nearest page.

    `counts` replaces the counting query when there is no search.
    """
    order = [f"-{name}" for name in ORDER] if table_filter.value("sort") == "-name" else ORDER
    users = filtered_users(connection, table_filter).order_by(*order)
    paginator = Paginator(users, table_filter.rows_per_page)
    if counts is not None and not table_filter.words:
        paginator.count = counts.filtered(status=table_filter.value("status"), video=table_filter.value("video"))
    page = paginator.get_page(number)
    # Skipping to a late page reads the index only; then the rows of that page are read.
    ids = users[page.start_index() - 1 : page.end_index()].values_list("pk", flat=True) if paginator.count else []
    page.object_list = list(StaffMember.objects.filter(pk__in=ids).only(*SHOWN).order_by(*order))
    return page

"""Search, filter and pages of the user table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from integrations.dashboard.counts import count_users
from integrations.dashboard.search import TableFilter, filtered_users
from integrations.dashboard.table import users_page
from integrations.models import Connection
from tests.factories import make_connection, make_match, make_member, make_organization


@pytest.fixture
def connection(db: None) -> Connection:
    """Anna has the word in her name, Ben in his remote user name, Cora in both; Dora has left."""
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple, "Anna Berg"), enabled=True)
    ben = make_member(maple, "Ben Carter")
    make_match(connection, ben, enabled=False, queried_name=ben.email, remote_user_name="annabel@contoso.example")
    cora = make_member(maple, "Cora Annan")
    make_match(connection, cora, enabled=False, queried_name=cora.email, remote_user_name="anna.cora@contoso.example")
    dora = make_member(maple, "Dora Annis", is_active=False)
    make_match(connection, dora, queried_name=dora.email, remote_user_name="anna.dora@contoso.example")
    make_member(maple, "Eve Lind")
    make_member(make_organization("Cedar Bank"), "Anna Otto")
    return connection


def selected(connection: Connection, table_filter: TableFilter) -> tuple[list[str], int]:
    """Return the names that a bulk action applies to, and their count."""
    users = filtered_users(connection, table_filter)
    return [member.name for member in users.order_by("first_name")], users.count()


def listed(connection: Connection, table_filter: TableFilter) -> tuple[list[str], int]:
    """Return the names on the first page, and the count in its footer."""
    page = users_page(connection, table_filter, None, count_users(connection))
    return [member.name for member in page.object_list], page.paginator.count


@pytest.mark.parametrize("read", [selected, listed])
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=anna", ["Anna Berg", "Ben Carter", "Cora Annan"]),
        ("search=ANNA", ["Anna Berg", "Ben Carter", "Cora Annan"]),
        ("search=ben+annabel", ["Ben Carter"]),
        ("search=Carter,+Ben", ["Ben Carter"]),
        ("search=carter,ben", ["Ben Carter"]),
        ("search=%2C", ["Anna Berg", "Ben Carter", "Cora Annan", "Eve Lind"]),
        ("search=contoso", ["Ben Carter", "Cora Annan"]),
        ("search=a", ["Anna Berg", "Ben Carter", "Cora Annan", "Eve Lind"]),
        ("search=nobody", []),
        ("search=%25", []),
        ("search=anna&video=on", ["Anna Berg"]),
        ("search=anna&video=off", ["Ben Carter", "Cora Annan"]),
        ("search=anna&status=matched&video=off", ["Ben Carter", "Cora Annan"]),
        ("search=anna&status=unmatched", []),
        ("video=off", ["Ben Carter", "Cora Annan", "Eve Lind"]),
        ("", ["Anna Berg", "Ben Carter", "Cora Annan", "Eve Lind"]),
    ],
)
def test_search_and_filter_select_the_listed_users(
    connection: Connection,
    read: Callable[[Connection, TableFilter], tuple[list[str], int]],
    query: str,
    names: list[str],
) -> None:
    assert read(connection, TableFilter(QueryDict(query))) == (names, len(names))


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("sort", ["", "-name"])
@pytest.mark.parametrize("status", ["", "matched"])
def test_the_pages_together_make_up_the_list(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, rows: int, sort: str, status: str
) -> None:
    monkeypatch.setattr(TableFilter, "rows_per_page", rows)
    table_filter = TableFilter(QueryDict(f"sort={sort}&status={status}"))
    counts = count_users(connection)

    first = users_page(connection, table_filter, "1", counts)
    pages = [users_page(connection, table_filter, str(n), counts) for n in first.paginator.page_range]

    names = ["Anna Berg", "Ben Carter", "Cora Annan", *([] if status else ["Eve Lind"])]
    shown = [member.name for page in pages for member in page.object_list]
    assert shown == (names[::-1] if sort else names)


@pytest.mark.parametrize(("query", "counts"), [({"search": "anna"}, False), ({"status": "matched"}, True), ({}, True)])
def test_a_search_leaves_the_counts_unchanged(
    client: Client, connection: Connection, query: dict[str, str], counts: bool
) -> None:
    client.force_login(make_member(connection.organization, "Ada Lovell", "admin"))

    response = client.get(reverse("connection", args=[connection.pk]), query, headers={"HX-Request": "true"})

    assert ('id="tiles"' in response.content.decode()) == counts

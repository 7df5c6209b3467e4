"""Whom the search and the filter of a dashboard leave, whether the words are rare or common."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from integrations.dashboard import search, table
from integrations.dashboard.counts import tiles_of
from integrations.dashboard.search import TableFilter, narrowed
from integrations.dashboard.table import page_of
from integrations.models import Connection
from tests.factories import make_connection, make_match, make_member, make_organization


@pytest.fixture
def connection(db: None) -> Connection:
    """Anna is found by her name, Ben by what Microsoft calls him, Cora by both; Dora left."""
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple, "Anna Berg"), enabled=True)
    ben = make_member(maple, "Ben Carter")
    make_match(
        connection, ben, enabled=False, queried_name=ben.email, remote_user_name="annabel@contoso.example"
    )
    cora = make_member(maple, "Cora Annan")
    make_match(
        connection, cora, enabled=False, queried_name=cora.email, remote_user_name="anna.cora@contoso.example"
    )
    dora = make_member(maple, "Dora Annis", is_active=False)
    make_match(connection, dora, queried_name=dora.email, remote_user_name="anna.dora@contoso.example")
    make_member(maple, "Eve Lind")
    make_member(make_organization("Cedar Bank"), "Anna Otto")
    return connection


@pytest.fixture(params=["rare", "common"])
def words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As if every word were rare, or common."""
    monkeypatch.setattr(search, "FEW", 500 if request.param == "rare" else 0)
    return request.param


def found(connection: Connection, query: str) -> tuple[list[str], list[str], int]:
    """The names near an end of the list, those far from it, and how many were counted."""
    people = narrowed(connection, TableFilter(QueryDict(query)))
    near, far = (
        [member.name for member in part.order_by("first_name")] for part in (people.near, people.far)
    )
    return near, far, people.count()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=anna", ["Anna Berg", "Ben Carter", "Cora Annan"]),
        ("search=ANNA", ["Anna Berg", "Ben Carter", "Cora Annan"]),
        ("search=ben+annabel", ["Ben Carter"]),
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
def test_every_form_of_the_answer_is_the_same(
    connection: Connection, words: str, query: str, names: list[str]
) -> None:
    assert found(connection, query) == (names, names, len(names))


@pytest.mark.parametrize("near", [0, 0.1, 2000])
@pytest.mark.parametrize("sort", ["", "-name"])
@pytest.mark.parametrize("status", ["", "matched"])
def test_the_pages_together_are_the_list(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, near: float, sort: str, status: str
) -> None:
    monkeypatch.setattr(table, "NEAR", near)
    monkeypatch.setattr(TableFilter, "rows_per_page", 1)
    table_filter = TableFilter(QueryDict(f"sort={sort}&status={status}"))
    tiles = tiles_of(connection)

    first = page_of(connection, table_filter, "1", tiles)
    pages = [page_of(connection, table_filter, str(number), tiles) for number in first.paginator.page_range]

    names = ["Anna Berg", "Ben Carter", "Cora Annan", *([] if status else ["Eve Lind"])]
    assert [page.object_list[0].name for page in pages] == (names[::-1] if sort else names)


@pytest.mark.parametrize(
    ("query", "counts"), [({"search": "anna"}, False), ({"status": "matched"}, True), ({}, True)]
)
def test_whoever_types_gets_no_new_counts(
    client: Client, connection: Connection, query: dict[str, str], counts: bool
) -> None:
    client.force_login(make_member(connection.organization, "Ada Lovell", "admin"))

    response = client.get(reverse("connection", args=[connection.pk]), query, headers={"HX-Request": "true"})

    assert ('id="tiles"' in response.content.decode()) == counts

"""The counts above the table of a dashboard."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from integrations.dashboard.counts import tiles_of
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]

UNMATCHED = {"directory": "unmatched", "remote_id": "", "remote_user_name": ""}


def test_everybody_is_counted_once_by_status_and_switch() -> None:
    maple = make_organization()
    connection = make_connection(maple)
    for member in make_staff(maple, 3):
        make_match(connection, member)
    make_match(connection, make_member(maple, "Ben Carter"), enabled=False)
    make_match(connection, make_member(maple, "Cora Annan"), **UNMATCHED)
    make_match(connection, make_member(maple, "Dora Lind"), reason="disabled", enabled=False)
    make_match(connection, make_member(maple, "Eve Moreau"), directory="unknown")
    make_member(maple, "Sam Okafor")

    tiles = tiles_of(connection)

    assert (tiles.everybody, tiles.matched, tiles.unmatched, tiles.forbidden) == (8, 4, 1, 1)
    assert (tiles.checking, tiles.on) == (2, 5)
    assert tiles.fitting(status="matched", video="off") == 1


def test_who_left_is_not_counted_though_the_match_is_kept() -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple, "Ada Lovell"))
    make_match(connection, make_member(maple, "Lea Left", is_active=False))
    make_match(connection, make_member(maple, "Leo Left", is_active=False), **UNMATCHED)

    tiles = tiles_of(connection)

    assert (tiles.everybody, tiles.matched, tiles.unmatched, tiles.on) == (1, 1, 0, 1)


def test_another_connection_of_the_same_people_and_another_organisation_are_left_out() -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    connection, second = make_connection(maple), make_connection(maple, "another account", is_default=False)
    ada = make_member(maple, "Ada Lovell")
    make_match(connection, ada)
    make_match(second, ada, **UNMATCHED)
    make_match(make_connection(cedar), make_member(cedar, "Otto Berg"))

    tiles = tiles_of(connection)

    assert (tiles.everybody, tiles.matched, tiles.unmatched) == (1, 1, 0)


@pytest.mark.parametrize("people", [1, 3])
def test_the_counts_are_one_query(people: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    for member in make_staff(maple, people):
        make_match(connection, member)

    with django_assert_num_queries(1):
        tiles = tiles_of(connection)

    assert tiles.matched == people

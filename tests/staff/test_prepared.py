"""Statements that are planned once a connection."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from staff.prepared import Prepared

pytestmark = pytest.mark.django_db
TYPES = {"numbers": "bigint[]", "most": "bigint"}
SQL = "SELECT n FROM unnest(%(numbers)s::bigint[]) AS n WHERE n <= %(most)s ORDER BY n"


def answers(prepared: Prepared, *questions: tuple[list[int], int]) -> list[list[Any]]:
    found = []
    for numbers, most in questions:
        with connection.cursor() as cursor:
            prepared.execute(cursor, {"numbers": numbers, "most": most})
            found.append([number for (number,) in cursor.fetchall()])
    return found


def test_one_plan_answers_every_question():
    prepared = Prepared("some_numbers", SQL, TYPES)

    with CaptureQueriesContext(connection) as queries:
        assert answers(prepared, ([3, 1, 2], 2), ([], 2), ([2**40], 2**50)) == [[1, 2], [], [2**40]]

    assert [query["sql"].split()[0] for query in queries] == ["EXECUTE"] * 3


def test_a_connection_that_a_pooler_lends_out_keeps_no_plan(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)

    with CaptureQueriesContext(connection) as queries:
        assert answers(Prepared("no_numbers", SQL, TYPES), ([3, 1, 2], 2)) == [[1, 2]]

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_plans_anew():
    prepared = Prepared("new_numbers", SQL, TYPES)
    answers(prepared, ([1], 1))

    connection.close()

    assert answers(prepared, ([1], 1)) == [[1]]


@pytest.mark.django_db(transaction=True)
def test_a_column_of_another_type_is_planned_anew():
    prepared = Prepared("words", "SELECT word FROM words WHERE word = %(word)s", {"word": "text"})
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE words (word varchar(5)); INSERT INTO words VALUES ('green')")
        prepared.execute(cursor, {"word": "green"})

        cursor.execute("ALTER TABLE words ALTER COLUMN word TYPE varchar(10)")
        prepared.execute(cursor, {"word": "green"})

        assert cursor.fetchall() == [("green",)]
        cursor.execute("DROP TABLE words")

"""Video Calls switches: for one person, for many, and Undo."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from integrations.event_text import event_text
from integrations.hosting.video_calls_switch import SwitchChange, set_video_calls, undo_video_calls
from integrations.matching.results import write_results
from integrations.models import Connection, ConnectionEvent, HostPermission, UserMatch
from integrations.platforms.values import DirectoryResult
from staff.models import Role, StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform

pytestmark = pytest.mark.django_db


def switch(connection: Connection, *people: StaffMember, on: bool = True) -> SwitchChange:
    chosen = StaffMember.objects.filter(pk__in=[person.pk for person in people])
    return set_video_calls(connection, chosen, on=on, actor=None)


def event_of_change(change: SwitchChange) -> ConnectionEvent:
    assert change.event is not None
    return change.event


def names_with_video_calls(connection: Connection) -> set[str]:
    return {match.staff.first_name for match in connection.matches.filter(enabled=True)}


def test_turning_on_adds_missing_matches_and_counts_only_changes(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky, ada = make_staff(maple, 3)
    make_match(connection, sam, enabled=True)
    make_match(connection, sky, enabled=False)

    change = switch(connection, sam, sky, ada)

    assert change.people == 2
    assert list(UserMatch.objects.values_list("enabled", flat=True)) == [True, True, True]
    assert event_text(connection.events.get()) == "Video Calls was turned on for 2 users."


def test_turning_off_changes_neither_other_people_nor_the_status(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    for member in (sam, sky):
        make_match(connection, member)

    change = switch(connection, sam, on=False)

    assert change.people == 1
    assert set(UserMatch.objects.values_list("staff", "enabled", "status")) == {
        (sam.pk, False, "matched"),
        (sky.pk, True, "matched"),
    }
    assert event_text(connection.events.get()) == "Video Calls was turned off for Sam Okafor."


def test_turning_on_again_records_no_event(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)

    assert (switch(connection, sam), ConnectionEvent.objects.count()) == (SwitchChange(True, 0, None), 0)


def test_people_of_another_organisation_are_not_switched(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    otto = make_member(make_organization("Cedar Bank"), "Otto Brandt")

    assert (switch(connection, otto).people, UserMatch.objects.count()) == (0, 0)


def test_a_person_switched_on_before_the_first_lookup_is_checking(fake_teams: FakePlatform) -> None:
    fake_teams.needs_permission_probe = True
    maple = make_organization()
    connection = make_connection(maple)

    switch(connection, make_member(maple))

    match = UserMatch.objects.get()
    assert (match.status, match.host_permission) == ("checking", HostPermission.UNKNOWN)


@pytest.mark.parametrize("how_many", [1, 3])
def test_turning_on_takes_the_same_queries_for_any_number_of_people(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries, how_many: int
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    people = make_staff(maple, how_many)

    # The event names one person, and counts several.
    with django_assert_num_queries(10 if how_many == 1 else 9):
        switch(connection, *people)


# --- Undo -------------------------------------------------------------------------------------------
@pytest.fixture
def connection(fake_teams: FakePlatform) -> Connection:
    """Sam was on, Sky and Ada were off; one click turned all of them on."""
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple, "Sam Okafor"))
    make_match(connection, make_member(maple, "Sky Ito"), enabled=False)
    make_member(maple, "Ada Lovell", Role.ADMIN)
    return connection


def switch_all(connection: Connection, *, on: bool = True) -> ConnectionEvent:
    return event_of_change(switch(connection, *StaffMember.objects.all(), on=on))


def test_undo_restores_exactly_the_changed_people(connection: Connection) -> None:
    event = switch_all(connection)

    undone = undo_video_calls(event, None)

    assert (undone.people, undone.on) == (2, False)
    assert names_with_video_calls(connection) == {"Sam"}


def test_undo_of_turning_off_turns_on(connection: Connection) -> None:
    event = switch_all(connection, on=False)

    undone = undo_video_calls(event, None)

    assert (undone.people, undone.on) == (1, True)
    assert names_with_video_calls(connection) == {"Sam"}


def test_undo_skips_people_who_were_switched_since(connection: Connection) -> None:
    event = switch_all(connection)
    sky = StaffMember.objects.get(first_name="Sky")
    switch(connection, sky, on=False)
    switch(connection, sky, on=True)

    undone = undo_video_calls(event, None)

    assert undone.people == 1
    assert names_with_video_calls(connection) == {"Sam", "Sky"}


def test_a_second_undo_changes_nothing(connection: Connection) -> None:
    event = switch_all(connection)
    undo_video_calls(event, None)

    assert undo_video_calls(event, None) == SwitchChange(False, 0, None)
    assert names_with_video_calls(connection) == {"Sam"}


def test_an_undo_can_be_undone(connection: Connection) -> None:
    undone = undo_video_calls(switch_all(connection), None)

    undo_video_calls(event_of_change(undone), None)

    assert names_with_video_calls(connection) == {"Sam", "Sky", "Ada"}


def test_an_undo_records_an_event_with_its_actor(connection: Connection) -> None:
    event = switch_all(connection)
    ada = StaffMember.objects.get(role=Role.ADMIN)

    undo_video_calls(event, ada)

    latest = connection.events.first()
    assert latest is not None
    assert (latest.kind, latest.actor, event_text(latest)) == (
        "turned_off",
        ada,
        "Undone: Video Calls was turned off for 2 users.",
    )


def test_undo_does_not_reach_another_connection(connection: Connection) -> None:
    other = make_connection(connection.organization, is_default=False, account_oid="2")
    event = switch_all(connection)
    switch_all(other)

    undo_video_calls(event, None)

    assert names_with_video_calls(other) == {"Sam", "Sky", "Ada"}


@pytest.mark.parametrize("how_many", [1, 3])
def test_undo_takes_the_same_queries_for_any_number_of_people(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries, how_many: int
) -> None:
    maple = make_organization()
    event = event_of_change(switch(make_connection(maple), *make_staff(maple, how_many)))

    with django_assert_num_queries(7 if how_many == 1 else 6):
        undo_video_calls(event, None)


# --- At the same time as a rematch ----------------------------------------------------------------
def test_rows_are_locked_in_the_order_in_which_a_rematch_writes(
    connection: Connection, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(20) as captured:
        switch_all(connection)

    connection_first, rows = [each["sql"] for each in captured if "FOR NO KEY UPDATE" in each["sql"]]
    assert connection_first.startswith('SELECT "integrations_connection"."id"')
    assert rows.partition("ORDER BY ")[2].startswith('"integrations_usermatch"."staff_id" ASC FOR')


def test_a_click_without_a_change_writes_nothing(connection: Connection) -> None:
    switch_all(connection)

    with CaptureQueriesContext(database) as captured:
        change = switch(connection, StaffMember.objects.get(first_name="Sam"))

    assert change == SwitchChange(True, 0, None)
    assert [each["sql"] for each in captured if each["sql"].startswith(("UPDATE", "DELETE"))] == []
    assert connection.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_turning_all_on_during_the_first_rematch_does_not_deadlock(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    StaffMember.objects.bulk_create(
        # The names run against the order of the rows.
        StaffMember(organization=maple, email=f"p{number}@maple.example", first_name=f"P{99 - number}")
        for number in range(40)
    )
    user_names = dict(StaffMember.objects.order_by("pk").values_list("pk", "email"))
    results = {email: DirectoryResult(remote_id=f"oid-{email}", user_name=email) for email in user_names.values()}
    with database.cursor() as cursor:
        # Slow inserts, so that both surely run at the same time.
        cursor.execute(
            "CREATE FUNCTION slowly() RETURNS trigger AS "
            "'BEGIN PERFORM pg_sleep(0.02); RETURN new; END' LANGUAGE plpgsql"
        )
        cursor.execute(
            "CREATE TRIGGER slowly BEFORE INSERT ON integrations_usermatch FOR EACH ROW EXECUTE FUNCTION slowly()"
        )
    try:
        at_once(
            lambda: write_results(connection, user_names, results),
            lambda: switch(connection, *StaffMember.objects.all()),
        )
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP TRIGGER slowly ON integrations_usermatch")
            cursor.execute("DROP FUNCTION slowly()")

    assert connection.matches.filter(enabled=True, status="matched").count() == 40

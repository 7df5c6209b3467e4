"""The default connection, connection names, and staff counts per connection."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from integrations.connections.defaults import (
    NameTaken,
    StaffCounts,
    count_staff,
    count_staff_without_platform,
    make_default,
    move_staff_to_default,
    rename_connection,
)
from integrations.connections.disconnect import disconnect_connection
from integrations.connections.lifecycle import add_connection, revive_connection
from integrations.event_text import event_text
from integrations.hosting.eligibility import hosting_of
from integrations.models import Connection, ConnectionEvent
from staff.models import Organization, StaffMember, VideoChoice
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


def second_of(organization: Organization, **fields: object) -> Connection:
    return make_connection(organization, "another account", is_default=False, **fields)


def choose(connection: Connection, *people: StaffMember) -> None:
    StaffMember.objects.filter(pk__in=[person.pk for person in people]).update(
        video_choice=VideoChoice.CONNECTION, video_connection=connection
    )


# --- Make default -----------------------------------------------------------------------------------
def test_make_default_replaces_the_old_default_and_records_an_event(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    ada = make_member(maple, "Ada Lovell")

    assert make_default(second, ada)

    event = ConnectionEvent.objects.get()
    assert Connection.objects.get(is_default=True) == second
    assert (event.connection, event.kind, event.actor) == (second, "made_default", ada)
    assert event_text(event) == "Microsoft Teams 2 is the organisation's default now."
    first.refresh_from_db()
    assert not first.is_default


def test_making_the_default_the_default_again_records_nothing(maple: Organization) -> None:
    first = make_connection(maple)

    assert make_default(first, None)

    assert (first.events.count(), Connection.objects.get(is_default=True)) == (0, first)


def test_a_disconnected_connection_does_not_become_the_default(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    disconnect_connection(second, None)

    assert not make_default(second, None)

    assert Connection.objects.get(is_default=True) == first


def test_another_organisations_default_stays(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    cedars = make_connection(make_organization("Cedar Bank"))

    make_default(second, None)

    assert set(Connection.objects.filter(is_default=True)) == {second, cedars}


def test_the_new_default_applies_to_all_staff_without_a_choice(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Moreno")
    choose(first, sky)

    make_default(second, None)

    hostings = hosting_of(list(StaffMember.objects.all()))
    assert (hostings[sam.pk].connection, hostings[sky.pk].connection) == (second, first)


def test_after_a_disconnect_the_next_new_connection_becomes_the_default(maple: Organization) -> None:
    disconnect_connection(make_connection(maple), None)

    with transaction.atomic():
        added = add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    assert (added.name, added.is_default) == ("Microsoft Teams 2", True)


# --- Staff counts ---------------------------------------------------------------------------------
def test_people_are_counted_by_default_and_by_choice(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    by_default, chosen, personal, _gone = (
        make_staff(maple, 3),
        make_staff(maple, 2),
        make_staff(maple, 1),
        make_staff(maple, 1, is_active=False),
    )
    choose(second, *chosen)
    StaffMember.objects.filter(pk=personal[0].pk).update(
        video_choice=VideoChoice.PERSONAL, personal_meeting_url="https://example.com/me"
    )

    assert count_staff([first, second]) == {
        first.pk: StaffCounts(by_default=len(by_default)),
        second.pk: StaffCounts(by_choice=2),
    }


@pytest.mark.parametrize("how_many", [1, 3])
def test_counting_people_is_one_query(
    maple: Organization, how_many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connections = [make_connection(maple, f"account {n}", is_default=n == 0) for n in range(how_many)]

    with django_assert_num_queries(1):
        count_staff(connections)


def test_with_a_default_no_staff_are_without_a_platform(maple: Organization) -> None:
    make_connection(maple)
    make_staff(maple, 2)

    assert not count_staff_without_platform(maple)


def test_without_a_default_staff_without_a_choice_are_counted(maple: Organization) -> None:
    connection = make_connection(maple)
    make_staff(maple, 2)
    make_staff(maple, 1, is_active=False)
    disconnect_connection(connection, None)

    found = count_staff_without_platform(maple)

    assert (found.by_default, found.by_choice) == (2, ())


def test_staff_who_chose_a_disconnected_connection_are_counted_by_connection(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    found = count_staff_without_platform(maple)

    assert (found.by_default, found.by_choice) == (0, ((second, 2),))


def test_staff_of_a_disconnected_connection_can_be_moved_to_the_default(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    ada = make_member(maple, "Ada Lovell")
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    moved = move_staff_to_default(second, ada)

    assert (moved, count_staff_without_platform(maple).by_choice) == (2, ())
    event = second.events.first()
    assert event is not None
    assert (event.kind, event.actor) == ("moved_to_default", ada)
    assert event_text(event) == "2 people who had chosen it use the organisation's default now."


def test_no_staff_are_moved_from_a_live_connection(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    choose(second, *make_staff(maple, 2))

    assert move_staff_to_default(second, None) == 0
    assert count_staff([second])[second.pk].by_choice == 2


# --- Several ----------------------------------------------------------------------------------------
def test_a_second_connection_does_not_change_the_platform_of_staff(maple: Organization) -> None:
    first = make_connection(maple)
    sam = make_member(maple)
    make_match(first, sam)

    with transaction.atomic():
        add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    hosting = hosting_of([sam])[sam.pk]
    assert (hosting.connection, hosting.can_host) == (first, True)


def test_a_person_of_two_connections_hosts_on_the_chosen_one(maple: Organization, fake_teams: FakePlatform) -> None:
    first, second = make_connection(maple), second_of(maple)
    sam = make_member(maple)
    make_match(first, sam)
    match = make_match(second, sam)
    choose(second, sam)

    sam.refresh_from_db()
    hosting = hosting_of([sam])[sam.pk]

    assert (hosting.connection, hosting.match, hosting.can_host) == (second, match, True)


# --- At the same time -----------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_defaults_at_once_leave_one() -> None:
    maple = make_organization()
    connections = [make_connection(maple), *[make_connection(maple, n, is_default=False) for n in "abc"]]

    for _ in range(5):
        at_once(*[lambda each=each: make_default(each, None) for each in connections])

        assert Connection.objects.filter(is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_make_default_and_disconnect_at_once_leave_no_disconnected_default() -> None:
    maple = make_organization()

    for number in range(8):
        connection = make_connection(maple, f"account {number}", is_default=False)
        at_once(
            lambda: make_default(connection, None),  # noqa: B023 - awaited within the loop
            lambda: disconnect_connection(connection, None),  # noqa: B023
        )

        assert not Connection.objects.filter(is_default=True).exists()


@pytest.mark.django_db(transaction=True)
def test_simultaneous_changes_leave_at_most_one_default() -> None:
    maple = make_organization()
    make_member(maple)

    def add() -> None:
        with transaction.atomic():
            add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    def revive() -> None:
        with transaction.atomic():
            revive_connection(gone, match_field="email", actor=None)

    for number in range(5):
        default = Connection.objects.filter(is_default=True).first() or make_connection(maple, f"d{number}")
        other = make_connection(maple, f"o{number}", is_default=False)
        gone = make_connection(maple, f"g{number}", is_default=False, status="disconnected")
        at_once(
            add,
            revive,
            lambda: disconnect_connection(default, None),  # noqa: B023 - awaited within the loop
            lambda: make_default(other, None),  # noqa: B023
        )

        # Make default always finds its connection, whether the gap that Disconnect leaves was filled before or not.
        assert Connection.objects.filter(is_default=True).count() == 1
        default.refresh_from_db()
        assert default.status == "disconnected"


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_disconnects_happen_once() -> None:
    connection = make_connection(make_organization())
    done: list[bool] = []

    def disconnect() -> None:
        done.append(disconnect_connection(Connection.objects.get(pk=connection.pk), None))

    at_once(disconnect, disconnect, disconnect)

    assert sorted(done) == [False, False, True]
    assert connection.events.count() == 1


# --- Names -------------------------------------------------------------------------------------------
def test_a_rename_records_both_names(maple: Organization) -> None:
    connection, ada = make_connection(maple), make_member(maple, "Ada Lovell")

    rename_connection(connection, "Branches", ada)

    connection.refresh_from_db()
    event = connection.events.get()
    assert connection.name == "Branches"
    assert (event.kind, event.actor) == ("renamed", ada)
    assert event_text(event) == "Microsoft Teams is called Branches now."


@pytest.mark.parametrize(("taken", "name"), [("Kent", "\u212aent"), ("iris", "\u0130ris"), ("Kent", "KENT")])
def test_a_name_that_is_equal_for_the_constraint_is_taken(maple: Organization, taken: str, name: str) -> None:
    make_connection(maple, name=taken)
    second = make_connection(maple, "another-oid", name="Other", is_default=False)

    with pytest.raises(NameTaken):
        rename_connection(second, name, None)

    second.refresh_from_db()
    assert second.name == "Other"


def test_the_same_name_records_nothing(maple: Organization) -> None:
    connection = make_connection(maple)

    rename_connection(connection, "Microsoft Teams", None)

    assert connection.events.count() == 0


def test_the_case_of_a_name_can_change(maple: Organization) -> None:
    connection = make_connection(maple)

    rename_connection(connection, "microsoft teams", None)

    assert Connection.objects.get().name == "microsoft teams"


@pytest.mark.parametrize("status", ["connected", "disconnected"])
def test_a_name_in_use_is_refused_ignoring_case(maple: Organization, status: str) -> None:
    make_connection(maple, name="Branches", status=status, is_default=False)
    connection = make_connection(maple, "another account")

    with pytest.raises(NameTaken, match=r"^Another integration has this name."):
        rename_connection(connection, "BRANCHES", None)

    connection.refresh_from_db()
    assert connection.name == "Microsoft Teams 2"


def test_another_organisations_names_are_free(maple: Organization) -> None:
    make_connection(make_organization("Cedar Bank"), name="Branches")
    connection = make_connection(maple)

    rename_connection(connection, "Branches", None)

    assert Connection.objects.filter(name="Branches").count() == 2


def test_the_database_refuses_a_duplicate_name(maple: Organization) -> None:
    make_connection(maple, name="Branches")

    with pytest.raises(IntegrityError, match="connection_name_once_per_organization"), transaction.atomic():
        make_connection(maple, "another account", name="branches", is_default=False)


def test_a_new_connection_gets_an_unused_name_after_renames(maple: Organization) -> None:
    rename_connection(make_connection(maple), "MICROSOFT TEAMS", None)

    added = add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    assert added.name == "Microsoft Teams 2"


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_choose_a_name_at_once_one_is_refused() -> None:
    maple = make_organization()
    connections = [make_connection(maple, "a"), make_connection(maple, "b", is_default=False)]
    refused: list[NameTaken] = []

    def rename(connection: Connection) -> None:
        try:
            rename_connection(connection, "Branches", None)
        except NameTaken as taken:
            refused.append(taken)

    at_once(*[lambda each=each: rename(each) for each in connections])

    assert len(refused) == 1
    assert Connection.objects.filter(name="Branches").count() == 1

"""The default, who has which platform, and who has none any more."""

from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from integrations.connections.defaults import (
    PeopleOn,
    give_default,
    make_default,
    people_on,
    without_platform,
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
def test_make_default_takes_the_place_of_the_old_default_and_is_noted(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    ada = make_member(maple, "Ada Lovell")

    assert make_default(second, ada)

    event = ConnectionEvent.objects.get()
    assert Connection.objects.get(is_default=True) == second
    assert (event.connection, event.kind, event.actor) == (second, "made_default", ada)
    assert event_text(event) == "Microsoft Teams 2 is the organisation's default now."
    first.refresh_from_db()
    assert not first.is_default


def test_making_the_default_default_again_is_not_news(maple: Organization) -> None:
    first = make_connection(maple)

    assert make_default(first, None)

    assert (first.events.count(), Connection.objects.get(is_default=True)) == (0, first)


def test_what_is_disconnected_does_not_become_the_default(maple: Organization) -> None:
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


def test_the_new_default_is_for_everybody_who_has_chosen_nothing(maple: Organization) -> None:
    first, second = make_connection(maple), second_of(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Moreno")
    choose(first, sky)

    make_default(second, None)

    hostings = hosting_of(list(StaffMember.objects.all()))
    assert (hostings[sam.pk].connection, hostings[sky.pk].connection) == (second, first)


def test_after_the_default_went_the_next_connection_becomes_it(maple: Organization) -> None:
    disconnect_connection(make_connection(maple), None)

    with transaction.atomic():
        added = add_connection(
            maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None
        )

    assert (added.name, added.is_default) == ("Microsoft Teams 2", True)


# --- Who has which ----------------------------------------------------------------------------------
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

    assert people_on([first, second]) == {
        first.pk: PeopleOn(by_default=len(by_default)),
        second.pk: PeopleOn(by_choice=2),
    }


@pytest.mark.parametrize("how_many", [1, 3])
def test_counting_people_is_one_query(
    maple: Organization, how_many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connections = [make_connection(maple, f"account {n}", is_default=n == 0) for n in range(how_many)]

    with django_assert_num_queries(1):
        people_on(connections)


def test_while_there_is_a_default_nobody_is_without_platform(maple: Organization) -> None:
    make_connection(maple)
    make_staff(maple, 2)

    assert not without_platform(maple)


def test_without_a_default_those_who_have_chosen_nothing_are_counted(maple: Organization) -> None:
    connection = make_connection(maple)
    make_staff(maple, 2)
    make_staff(maple, 1, is_active=False)
    disconnect_connection(connection, None)

    found = without_platform(maple)

    assert (found.by_default, found.by_choice) == (2, ())


def test_those_whose_chosen_platform_went_are_counted_by_platform(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    found = without_platform(maple)

    assert (found.by_default, found.by_choice) == (0, ((second, 2),))


def test_whoever_had_chosen_what_is_gone_can_be_given_the_default(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    ada = make_member(maple, "Ada Lovell")
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    moved = give_default(second, ada)

    assert (moved, without_platform(maple).by_choice) == (2, ())
    event = second.events.first()
    assert event is not None
    assert (event.kind, event.actor) == ("moved_to_default", ada)
    assert event_text(event) == "2 people who had chosen it use the organisation's default now."


def test_nobody_is_taken_from_a_platform_that_is_there(maple: Organization) -> None:
    make_connection(maple)
    second = second_of(maple)
    choose(second, *make_staff(maple, 2))

    assert give_default(second, None) == 0
    assert people_on([second])[second.pk].by_choice == 2


# --- Several ----------------------------------------------------------------------------------------
def test_a_second_connection_changes_nobodys_platform(maple: Organization) -> None:
    first = make_connection(maple)
    sam = make_member(maple)
    make_match(first, sam)

    with transaction.atomic():
        add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    hosting = hosting_of([sam])[sam.pk]
    assert (hosting.connection, hosting.can_host) == (first, True)


def test_a_person_of_two_connections_hosts_on_the_chosen_one(
    maple: Organization, fake_teams: FakePlatform
) -> None:
    first, second = make_connection(maple), second_of(maple)
    sam = make_member(maple)
    make_match(first, sam)
    match = make_match(second, sam)
    choose(second, sam)

    sam.refresh_from_db()
    hosting = hosting_of([sam])[sam.pk]

    assert (hosting.connection, hosting.match, hosting.can_host) == (second, match, True)


# --- At the same moment -----------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_defaults_at_once_leave_one() -> None:
    maple = make_organization()
    connections = [make_connection(maple), *[make_connection(maple, n, is_default=False) for n in "abc"]]

    for _ in range(5):
        at_once(*[lambda each=each: make_default(each, None) for each in connections])

        assert Connection.objects.filter(is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_make_default_and_disconnect_at_once_leave_no_default_that_is_gone() -> None:
    maple = make_organization()

    for number in range(8):
        connection = make_connection(maple, f"account {number}", is_default=False)
        at_once(
            lambda: make_default(connection, None),  # noqa: B023 - awaited within the loop
            lambda: disconnect_connection(connection, None),  # noqa: B023
        )

        assert not Connection.objects.filter(is_default=True).exists()


@pytest.mark.django_db(transaction=True)
def test_whatever_admins_do_at_once_there_is_at_most_one_default() -> None:
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
def test_two_admins_who_disconnect_at_once_do_it_once() -> None:
    connection = make_connection(make_organization())
    done: list[bool] = []

    def disconnect() -> None:
        done.append(disconnect_connection(Connection.objects.get(pk=connection.pk), None))

    at_once(disconnect, disconnect, disconnect)

    assert sorted(done) == [False, False, True]
    assert connection.events.count() == 1

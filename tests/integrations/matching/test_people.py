"""Rematches of single people, and people who share a remote user."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.matching.people import rematch_people, shared_remote_ids
from integrations.matching.rematch_worker import work_on_run
from integrations.models import (
    ConnectionStatus,
    HostPermission,
    MatchStatus,
    UserMatch,
)
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.matching.matching_steps import start, statuses

pytestmark = pytest.mark.django_db


# --- Host permission ------------------------------------------------------------------------------


def test_host_permission_is_unknown_only_if_the_platform_needs_it(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    fake_teams.knows(sam.email)

    work_on_run(start(connection).pk)
    without = UserMatch.objects.get().host_permission
    fake_teams.needs_permission_probe = True
    rematch_people(connection, [sam.pk])

    assert (without, UserMatch.objects.get().host_permission) == (
        HostPermission.NOT_NEEDED,
        HostPermission.UNKNOWN,
    )


@pytest.mark.parametrize(
    ("remote_id", "host_permission"), [("oid-1", HostPermission.GRANTED), ("oid-2", HostPermission.UNKNOWN)]
)
def test_host_permission_is_reset_only_for_another_remote_user(
    fake_teams: FakePlatform, remote_id: str, host_permission: HostPermission
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam, remote_id="oid-1", host_permission=HostPermission.GRANTED)
    fake_teams.needs_permission_probe = True
    fake_teams.knows(sam.email, remote_id=remote_id)

    rematch_people(connection, [sam.pk])

    assert UserMatch.objects.get().host_permission == host_permission


# --- Single people ----------------------------------------------------------------------------------


def test_only_the_requested_people_are_looked_up(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple, "Sam Okafor")
    make_member(maple, "Sky Ito")
    otto = make_member(make_organization("Cedar Bank"), "Otto Brandt")

    rematch_people(connection, [sam.pk, otto.pk])

    assert fake_teams.queried == [[sam.email]]


def test_many_people_are_looked_up_in_chunks(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    people = make_staff(maple, 5)
    fake_teams.chunk_size = 2

    rematch_people(connection, [member.pk for member in people])

    assert [len(names) for names in fake_teams.queried] == [2, 2, 1]


def test_the_status_stays_if_the_platform_fails(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    fake_teams.fail("find", outage())

    rematch_people(connection, [sam.pk])

    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_a_refused_sign_in_for_one_person_concerns_the_connection(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    fake_teams.refuse("find", connection)

    rematch_people(connection, [make_member(maple).pk])

    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_a_paused_connection_is_not_called(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, paused_until=timezone.now() + timedelta(minutes=1))

    rematch_people(connection, [make_member(maple).pk])

    assert fake_teams.calls == {}


# --- Two people, one remote user --------------------------------------------------------------------


def test_people_who_share_a_remote_user_are_named(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    for member in (sam, sky):
        make_match(connection, member, remote_id="oid-shared")
    make_match(connection, make_member(maple, "Ada Moreau"), remote_id="oid-own")
    make_match(connection, make_member(maple, "Lea Left", is_active=False), remote_id="oid-own")

    with django_assert_num_queries(1):
        shared = shared_remote_ids(connection, ["oid-shared", "oid-own", ""])
        names = {remote_id: [match.staff.name for match in rows] for remote_id, rows in shared.items()}

    assert names == {"oid-shared": ["Sam Okafor", "Sky Ito"]}


def test_two_people_with_one_remote_user_are_both_matched(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    for member in (make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")):
        fake_teams.knows(member.email, remote_id="oid-shared")

    work_on_run(start(connection).pk)

    assert set(statuses(connection).values()) == {MatchStatus.MATCHED}

"""Query for the staff who can host. It agrees with `hosting_of`."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.hosting.eligibility import hosting_of, staff_able_to_host
from integrations.models import ConnectionStatus, DirectoryState
from staff.models import Organization, StaffMember, VideoChoice
from tests.factories import make_connection, make_match, make_member, make_organization
from tests.integrations.fake_platform import FakePlatform

pytestmark = pytest.mark.django_db


@pytest.fixture
def maple(fake_teams: FakePlatform) -> Organization:
    """Make staff for each case: by default, by choice, on a disconnected connection, on a personal link."""
    maple = make_organization()
    default, other = make_connection(maple), make_connection(maple, is_default=False, account_oid="2")
    gone = make_connection(maple, is_default=False, account_oid="3", status=ConnectionStatus.DISCONNECTED, name="Gone")
    make_match(default, make_member(maple, "Matched"))
    make_match(default, make_member(maple, "Off"), enabled=False)
    make_match(default, make_member(maple, "Unmatched"), directory=DirectoryState.UNMATCHED)
    make_member(maple, "Unknown")
    make_match(other, make_member(maple, "Elsewhere"))
    chosen: dict[str, Any] = {"video_choice": VideoChoice.CONNECTION, "video_connection": other}
    make_match(other, make_member(maple, "Chosen", **chosen))
    make_match(default, make_member(maple, "Astray", **chosen))
    make_match(gone, make_member(maple, "Lost", **{**chosen, "video_connection": gone}))
    make_member(
        maple,
        "Personal",
        video_choice=VideoChoice.PERSONAL,
        personal_meeting_url="https://meet.example/me",
    )
    return maple


def names(people: list[StaffMember]) -> list[str]:
    return sorted(person.first_name for person in people)


def test_the_query_finds_the_staff_who_can_host(maple: Organization) -> None:
    assert names(list(staff_able_to_host(maple))) == ["Chosen", "Matched", "Personal"]


def test_the_query_agrees_with_hosting_of(maple: Organization) -> None:
    staff = list(maple.staff.all())
    hostings = hosting_of(staff)

    found = names(list(staff_able_to_host(maple)))

    assert found == names([person for person in staff if hostings[person.pk].can_host])


def test_without_a_default_only_choices_count(maple: Organization) -> None:
    maple.connections.update(is_default=False)

    assert names(list(staff_able_to_host(maple))) == ["Chosen", "Personal"]


def test_without_the_add_on_only_personal_links_remain(maple: Organization, fake_teams: FakePlatform) -> None:
    fake_teams.addon = False

    assert names(list(staff_able_to_host(maple))) == ["Personal"]


def test_former_staff_are_not_found(maple: Organization) -> None:
    maple.staff.filter(first_name="Matched").update(is_active=False)

    assert names(list(staff_able_to_host(maple))) == ["Chosen", "Personal"]


def test_staff_of_another_organisation_are_not_found(maple: Organization) -> None:
    cedar = make_organization("Cedar Bank")
    make_match(make_connection(cedar), make_member(cedar, "Otto"))

    assert names(list(staff_able_to_host(cedar))) == ["Otto"]

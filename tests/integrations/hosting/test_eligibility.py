"""Hosting of staff members, and blocking reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.hooks import MeetingPage
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.models import Connection, ConnectionStatus, DirectoryState, HostPermission
from integrations.platforms.values import MatchReason
from staff.models import StaffMember, VideoChoice
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform

pytestmark = pytest.mark.usefixtures("fake_teams")


def hosting(member: StaffMember) -> Hosting:
    return hosting_of([member])[member.pk]


def test_a_matched_person_with_video_calls_on_hosts_on_the_default(connection: Connection, sam: StaffMember) -> None:
    match = make_match(connection, sam)

    assert hosting(sam) == Hosting(sam.pk, connection, match)
    assert hosting(sam).can_host


def test_a_chosen_connection_takes_precedence_over_the_default(connection: Connection, sam: StaffMember) -> None:
    other = make_connection(connection.organization, "other", is_default=False)
    sam.video_choice, sam.video_connection = VideoChoice.CONNECTION, other
    sam.save()
    make_match(connection, sam)
    match = make_match(other, sam)

    assert hosting(sam) == Hosting(sam.pk, other, match)


def test_a_personal_link_needs_no_connection(sam: StaffMember, fake_teams: FakePlatform) -> None:
    fake_teams.addon = False
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.save()

    assert hosting(sam) == Hosting(sam.pk, personal_url="https://meet.example/sam")


def test_the_default_of_another_organisation_is_not_used(connection: Connection) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Brandt")

    assert hosting(otto).connection is None
    assert hosting(otto).problem == (
        "Otto Brandt has no video platform. An admin can connect one, or make one the default, under "
        "Settings > Video Calls."
    )


def test_a_connection_of_another_organisation_is_not_used(connection: Connection) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Brandt")
    otto.video_choice, otto.video_connection = VideoChoice.CONNECTION, connection

    assert (hosting(otto).connection, hosting(otto).can_host) == (None, False)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"enabled": False},
            "Video Calls is off for Sam Okafor. An admin can turn it on under Settings > Video Calls.",
        ),
        (
            {"directory": DirectoryState.UNKNOWN},
            "Microsoft Teams has not answered yet whether it knows Sam Okafor. Try again in a minute.",
        ),
        (
            {"directory": DirectoryState.UNMATCHED, "reason": MatchReason.NOT_FOUND},
            (
                "Sam Okafor is not matched with a user of Microsoft Teams. An admin can see why, and what to do, under "
                "Settings > Video Calls."
            ),
        ),
        (
            {"reason": MatchReason.DISABLED},
            (
                "Microsoft Teams does not let Sam Okafor host video appointments. An admin can see why, and what to "
                "do, under Settings > Video Calls."
            ),
        ),
        (
            {"host_permission": HostPermission.UNKNOWN},
            "Microsoft Teams has not answered yet whether it knows Sam Okafor. Try again in a minute.",
        ),
    ],
)
def test_the_problem_names_the_person_and_the_remedy(
    connection: Connection, sam: StaffMember, answer: dict[str, Any], sentence: str
) -> None:
    make_match(connection, sam, **answer)

    assert hosting(sam).problem == sentence


@pytest.mark.parametrize(
    ("answer", "reason", "ask", "label"),
    [
        ({"enabled": False}, "Video Calls is off.", "Ask an admin to turn it on.", "Turn it on"),
        (
            {"directory": DirectoryState.UNKNOWN},
            "Microsoft Teams has not answered yet.",
            "Try again in a minute.",
            "See why",
        ),
        (
            {"directory": DirectoryState.UNMATCHED, "reason": MatchReason.NOT_FOUND},
            "Not matched with a user of Microsoft Teams.",
            "Ask an admin to fix it.",
            "See why",
        ),
        (
            {"reason": MatchReason.DISABLED},
            "May not host on Microsoft Teams.",
            "Ask an admin to fix it.",
            "See why",
        ),
    ],
)
def test_next_to_the_name_the_reason_is_short_with_a_contact(
    connection: Connection, sam: StaffMember, answer: dict[str, Any], reason: str, ask: str, label: str
) -> None:
    make_match(connection, sam, **answer)

    blocking_reason = hosting(sam).blocking_reason

    address = f"/settings/video-calls/{connection.pk}/?search=sam%40maple.example#user-{sam.pk}"
    assert blocking_reason is not None
    shown = (blocking_reason.reason, blocking_reason.ask, blocking_reason.page)
    assert shown == (reason, ask, MeetingPage(address, label))


def test_video_calls_is_off_for_a_person_without_a_match(connection: Connection, sam: StaffMember) -> None:
    assert hosting(sam).problem == (
        "Video Calls is off for Sam Okafor. An admin can turn it on under Settings > Video Calls."
    )


def test_without_the_add_on_no_staff_can_host(
    connection: Connection, sam: StaffMember, fake_teams: FakePlatform
) -> None:
    make_match(connection, sam)
    fake_teams.addon = False

    assert hosting(sam).problem == (
        "Microsoft Teams is an optional add-on that is switched off, so that Sam Okafor cannot be booked for new "
        "video appointments. Please contact your Customer Success Team."
    )


def test_a_chosen_platform_that_is_disconnected_is_named(connection: Connection, sam: StaffMember) -> None:
    other = make_connection(
        connection.organization,
        "other",
        name="Microsoft Teams 2",
        status=ConnectionStatus.DISCONNECTED,
        is_default=False,
    )
    sam.video_choice, sam.video_connection = VideoChoice.CONNECTION, other
    make_match(other, sam)

    assert hosting(sam).problem == (
        "Microsoft Teams 2, where Sam Okafor hosts video appointments, is disconnected. Choose another Video Calls "
        "Platform in the profile of Sam Okafor, or connect it again under Settings > Video Calls."
    )


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": ConnectionStatus.NEEDS_REAUTHORIZATION},
        {"paused_until": timezone.now() + timedelta(days=1)},
    ],
)
def test_an_unhealthy_connection_does_not_prevent_booking(
    connection: Connection, sam: StaffMember, trouble: dict[str, Any]
) -> None:
    make_match(connection, sam)
    Connection.objects.update(**trouble)

    assert hosting(sam).can_host


@pytest.mark.parametrize("how_many", [1, 3])
def test_any_number_of_people_takes_two_queries(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries, how_many: int
) -> None:
    for member in make_staff(connection.organization, how_many):
        make_match(connection, member)
    staff = list(StaffMember.objects.all())

    with django_assert_num_queries(2):
        hostings = hosting_of(staff)

    assert [each.can_host for each in hostings.values()] == [True] * how_many

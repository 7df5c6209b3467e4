"""Booked video appointments without a link, and how many of them can get one."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from appointments.models import Appointment, Status
from appointments.video.missing_links import MissingLinks, count_without_link, without_link
from integrations.models import DesiredState, DirectoryState, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_client, make_member, make_organization, make_service
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

FAILED = {"due_at": None, "error_kind": ErrorKind.PERSON, "error": message("No licence.")}


def video(maple: Maple, hour: int = 10, **fields: Any) -> Appointment:
    """Return a video appointment with Sam for which no meeting was requested."""
    fields = {"method": MeetingMethod.VIDEO, **fields}
    return make_appointment(maple.review, fields.pop("staff", maple.sam), maple.cleo, monday(hour), **fields)


def failed(maple: Maple, hour: int = 10, **fields: Any) -> Appointment:
    """Return a video appointment whose meeting failed."""
    booked = maple.book(method=MeetingMethod.VIDEO, starts_at=monday(hour))
    Meeting.objects.filter(appointment=booked).update(**{**FAILED, **fields})
    return booked


def test_an_appointment_without_a_meeting_lacks_a_link(maple: Maple) -> None:
    booked = video(maple)

    assert list(without_link(maple.organization)) == [booked]


def test_an_appointment_whose_meeting_failed_lacks_a_link(maple_with_teams: Maple) -> None:
    booked = failed(maple_with_teams)

    assert list(without_link(maple_with_teams.organization)) == [booked]


def test_a_failed_change_of_a_working_link_is_not_a_missing_link(maple_with_teams: Maple) -> None:
    failed(maple_with_teams, join_url="https://meet.example/1")

    assert list(without_link(maple_with_teams.organization)) == []


def test_a_pending_link_is_not_a_missing_link(maple_with_teams: Maple) -> None:
    maple_with_teams.book(method=MeetingMethod.VIDEO)

    assert list(without_link(maple_with_teams.organization)) == []


def test_a_meeting_that_could_not_be_deleted_is_not_a_missing_link(maple_with_teams: Maple) -> None:
    failed(maple_with_teams, desired_state=DesiredState.ABSENT)

    assert list(without_link(maple_with_teams.organization)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.CANCELLED},
        {"status": Status.SERVED},
        {"status": Status.NO_SHOW},
        {"method": MeetingMethod.PHONE},
        {"personal_meeting_url": "https://meet.example/me"},
    ],
)
def test_appointments_that_need_no_link_are_not_counted(maple: Maple, fields: dict[str, Any]) -> None:
    video(maple, **fields)

    assert list(without_link(maple.organization)) == []


def test_an_ongoing_appointment_still_needs_its_link(maple: Maple) -> None:
    booked = video(maple, status=Status.IN_PROGRESS)

    with time_machine.travel(monday(10, 20), tick=False):
        assert list(without_link(maple.organization)) == [booked]


def test_a_past_appointment_needs_no_link(maple_with_teams: Maple) -> None:
    video(maple_with_teams)
    failed(maple_with_teams, 11)

    with time_machine.travel(monday(12), tick=False):
        assert list(without_link(maple_with_teams.organization)) == []


def test_missing_links_and_those_that_can_be_repaired_are_counted(maple_with_teams: Maple, tess: StaffMember) -> None:
    video(maple_with_teams)
    failed(maple_with_teams, 11)
    video(maple_with_teams, staff=tess)

    assert count_without_link(maple_with_teams.organization) == MissingLinks(total=3, able=2)


def test_staff_who_can_no_longer_host_are_counted_at_once(maple_with_teams: Maple) -> None:
    video(maple_with_teams)

    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    assert count_without_link(maple_with_teams.organization) == MissingLinks(total=1, able=0)


def test_missing_links_are_counted_for_one_person(maple_with_teams: Maple, tess: StaffMember) -> None:
    video(maple_with_teams)
    video(maple_with_teams, staff=tess)

    assert count_without_link(maple_with_teams.organization, tess) == MissingLinks(total=1, able=0)


def test_missing_links_of_another_organisation_are_not_counted(maple_with_teams: Maple) -> None:
    video(maple_with_teams)
    failed(maple_with_teams, 11)
    cedar = make_organization("Cedar Bank")
    otto, carl = make_member(cedar, "Otto Weber"), make_client(cedar, "Carl")
    booked = make_appointment(make_service(cedar), otto, carl, monday(10), method=MeetingMethod.VIDEO)

    assert list(without_link(cedar)) == [booked]


@pytest.mark.parametrize("how_many", [1, 3])
def test_counting_takes_two_queries(maple_with_teams: Maple, how_many: int, django_assert_num_queries: Any) -> None:
    for number in range(how_many):
        failed(maple_with_teams, 10 + number)

    with django_assert_num_queries(2):
        count_without_link(maple_with_teams.organization)


def test_counting_no_missing_links_takes_one_query(maple_with_teams: Maple, django_assert_num_queries: Any) -> None:
    maple_with_teams.book(method=MeetingMethod.VIDEO)

    with django_assert_num_queries(1):
        count_without_link(maple_with_teams.organization)


def test_the_count_stops_at_the_limit(maple_with_teams: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appointments.video.missing_links.COUNT_LIMIT", 2)
    for hour in (10, 11, 12):
        video(maple_with_teams, hour)

    counted = count_without_link(maple_with_teams.organization)

    assert counted == MissingLinks(total=2, able=2, has_more=True)

"""Change of the meeting method."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError, TimeUnavailable
from appointments.changes.meeting_method import change_method
from appointments.models import Appointment, BookedThrough, Notification, Status
from appointments.timeline import event_text
from integrations.models import DesiredState, Meeting, UserMatch
from services.models import MeetingMethod
from staff.models import (
    DateOverride,
    Location,
    LocationHours,
    OutboxEmail,
    StaffMember,
    VideoChoice,
    Weekday,
)
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_location, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def change(maple: Maple, appointment: Appointment, method: int, **changes: Any) -> Appointment:
    arguments = {"method": method, "actor": maple.sky, "through": BookedThrough.SCHEDULE, **changes}
    return change_method(appointment, **arguments)


def sentence_of(maple: Maple, appointment: Appointment, method: int, **changes: Any) -> str:
    with pytest.raises(BookingError) as refused:
        change(maple, appointment, method, **changes)
    return refused.value.sentence


def test_a_change_to_a_video_call_requests_a_meeting(maple_with_teams: Maple) -> None:
    appointment = change(maple_with_teams, maple_with_teams.book(), MeetingMethod.VIDEO)

    appointment.refresh_from_db()
    meeting = Meeting.objects.get()
    assert (appointment.method, appointment.meeting, appointment.version) == (MeetingMethod.VIDEO, meeting, 1)
    assert (meeting.starts_at, meeting.desired_state) == (monday(10), DesiredState.PRESENT)


def test_a_change_from_a_video_call_cancels_the_meeting(maple_with_teams: Maple) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO)

    appointment = change(maple_with_teams, booked, MeetingMethod.PHONE)

    appointment.refresh_from_db()
    assert (appointment.meeting, Meeting.objects.get().desired_state) == (None, DesiredState.ABSENT)
    assert next(event_text(event) for event in appointment.events.order_by("-pk")) == (
        "Meeting method changed from Video Call to Phone Call."
    )


def test_a_change_from_video_and_back_requests_a_new_meeting(maple_with_teams: Maple) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO)

    again = change(maple_with_teams, change(maple_with_teams, booked, MeetingMethod.PHONE), MeetingMethod.VIDEO)

    assert again.meeting_id != booked.meeting_id
    assert list(Meeting.objects.filter(desired_state=DesiredState.PRESENT)) == [again.meeting]


def test_a_change_to_video_uses_a_chosen_personal_link(maple_with_teams: Maple) -> None:
    StaffMember.objects.filter(pk=maple_with_teams.sam.pk).update(
        video_choice=VideoChoice.PERSONAL,
        personal_meeting_url="https://meet.example/sam",
        personal_meeting_note="Ring twice",
    )

    appointment = change(maple_with_teams, maple_with_teams.book(), MeetingMethod.VIDEO)

    assert (appointment.personal_meeting_url, appointment.personal_meeting_note) == (
        "https://meet.example/sam",
        "Ring twice",
    )
    assert not Meeting.objects.exists()


def test_a_change_to_video_is_refused_for_staff_who_cannot_host(maple_with_teams: Maple) -> None:
    UserMatch.objects.update(enabled=False)
    appointment = maple_with_teams.book()

    assert sentence_of(maple_with_teams, appointment, MeetingMethod.VIDEO) == (
        "Video Calls is off for Sam Okafor. An admin can turn it on under Settings > Video Calls."
    )
    appointment.refresh_from_db()
    assert (appointment.method, appointment.version) == (MeetingMethod.AT_LOCATION, 0)


def test_a_change_to_a_phone_call_needs_the_clients_number(maple: Maple) -> None:
    maple.cleo.phone = ""
    maple.cleo.save()

    assert sentence_of(maple, maple.book(), MeetingMethod.PHONE) == (
        "Cleo Brandt has no phone number to call. Add one, or choose another meeting method."
    )


def test_a_method_that_is_not_offered_is_refused(maple: Maple) -> None:
    maple.review.meeting_methods.filter(method=MeetingMethod.PHONE).delete()

    assert sentence_of(maple, maple.book(), MeetingMethod.PHONE) == (
        "“Mortgage review” is not offered this way. Choose another meeting method."
    )


def test_another_location_alone_is_a_change(maple: Maple) -> None:
    harbour = make_location(maple.organization, "Harbour")

    appointment = change(maple, maple.book(), MeetingMethod.AT_LOCATION, location=harbour)

    assert (appointment.location, appointment.version) == (harbour, 1)
    assert next(event_text(event) for event in appointment.events.order_by("-pk")) == "Another location: Harbour."


def test_a_location_of_another_organisation_is_refused(maple: Maple) -> None:
    elsewhere = make_location(make_organization("Cedar Bank"), "Otto's")

    assert sentence_of(maple, maple.book(), MeetingMethod.AT_LOCATION, location=elsewhere) == (
        "That choice is not available here. Choose another one."
    )


def test_the_present_method_changes_nothing(maple: Maple) -> None:
    appointment = change(maple, maple.book(), MeetingMethod.AT_LOCATION)

    assert (appointment.version, appointment.events.count()) == (0, 1)


def test_the_method_of_a_served_appointment_cannot_change(maple: Maple) -> None:
    served = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=Status.SERVED)

    assert sentence_of(maple, served, MeetingMethod.PHONE) == (
        "The meeting method of an appointment that is “Served” cannot be changed."
    )


def test_client_and_staff_member_are_notified(maple: Maple) -> None:
    appointment = maple.book()
    OutboxEmail.objects.update(state="sent")

    change(maple, appointment, MeetingMethod.PHONE)

    waiting = Notification.objects.filter(email__state="waiting").order_by("audience")
    assert list(waiting.values_list("audience", "kind", "sequence")) == [
        ("client", "changed", 1),
        ("staff", "changed", 1),
    ]


def test_an_outdated_page_changes_nothing(maple: Maple) -> None:
    appointment = maple.book()
    change(maple, appointment, MeetingMethod.PHONE)

    assert sentence_of(maple, appointment, MeetingMethod.OFF_SITE, version=0) == (
        "Sky Larsen changed this appointment meanwhile: Meeting method changed from At location to Phone Call. "
        "Look at it again."
    )


# --- Hours and closings of the branch ---------------------------------------------------------------
@pytest.fixture
def branch(maple: Maple) -> Location:
    """Sam's branch."""
    branch = make_location(maple.organization)
    StaffMember.objects.filter(pk=maple.sam.pk).update(location=branch)
    maple.sam.refresh_from_db()
    return branch


def close(branch: Location) -> None:
    DateOverride.objects.create(
        location=branch, first_day=monday(0).date(), last_day=monday(0).date(), label="Water damage", all_methods=False
    )


def test_a_call_cannot_become_a_visit_to_a_closed_branch(maple: Maple, branch: Location) -> None:
    close(branch)
    appointment = maple.book(method=MeetingMethod.PHONE)

    with pytest.raises(TimeUnavailable) as refused:
        change(maple, appointment, MeetingMethod.AT_LOCATION)

    assert refused.value.sentence == "Main Street is closed on 30 November (Water damage). Choose another time."
    appointment.refresh_from_db()
    assert (appointment.method, appointment.version) == (MeetingMethod.PHONE, 0)


def test_a_call_cannot_become_a_visit_outside_the_opening_hours(maple: Maple, branch: Location) -> None:
    LocationHours.objects.create(location=branch, weekday=Weekday.MONDAY, start=time(13), end=time(17))
    appointment = make_appointment(
        maple.review, maple.sam, maple.cleo, monday(10), method=MeetingMethod.PHONE, location=branch
    )

    assert sentence_of(maple, appointment, MeetingMethod.AT_LOCATION) == (
        "Mon 30 Nov 2026, 10:00 is outside the working hours of Sam Okafor. Choose another time."
    )


def test_staff_may_meet_outside_the_hours_on_purpose(maple: Maple, branch: Location) -> None:
    close(branch)

    visit = change(maple, maple.book(method=MeetingMethod.PHONE), MeetingMethod.AT_LOCATION, outside_hours=True)

    assert (visit.method, visit.location) == (MeetingMethod.AT_LOCATION, branch)


def test_a_call_instead_of_a_visit_to_a_closed_branch_needs_no_attention(maple: Maple, branch: Location) -> None:
    appointment = maple.book()
    close(branch)
    Appointment.objects.update(outside_hours_since=monday(0))

    call = change(maple, appointment, MeetingMethod.PHONE)

    call.refresh_from_db()
    assert call.outside_hours_since is None

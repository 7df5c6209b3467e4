"""Changes from an appointment's page: reassign, move, meeting method and sending an email again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Status
from integrations.models import Connection, DesiredState
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import DateOverride, EmailState, OutboxEmail, StaffMember, TimeOff, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import (
    make_appointment,
    make_client,
    make_hours,
    make_location,
    make_match,
    make_member,
    make_organization,
)

pytestmark = pytest.mark.usefixtures("friday")


def provider(maple: Maple, name: str, **fields) -> StaffMember:
    """Kim, who also provides the review at Sam's hours."""
    member = make_member(maple.organization, name, **fields)
    make_hours(member)
    ServiceAssignment.objects.create(service=maple.review, staff=member)
    return member


def address(name: str, appointment: Appointment) -> str:
    return reverse(name, args=[appointment.pk])


def reassign(browser: Browser, appointment: Appointment, to: StaffMember, **more):
    sent = {"staff": to.pk, "version": appointment.version, **more}
    return browser.post(address("appointment-reassign", appointment), sent)


def offered(page) -> list[tuple[str, list[str]]]:
    return [(each.member.name, each.notes) for each, _is_picked in page.context["form"].choices]


def test_another_staff_member_takes_it_over(maple: Maple, as_sky: Browser):
    tess, appointment = provider(maple, "Tess Moor"), maple.book()

    response = reassign(as_sky, appointment, tess)

    appointment.refresh_from_db()
    assert (response.status_code, appointment.staff) == (303, tess)


def test_the_form_lists_able_busy_and_unable_staff_with_reasons(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    busy, away = provider(maple, "Ben Carter"), provider(maple, "Chloe Dubois")
    make_appointment(maple.review, busy, maple.cleo, monday(10))
    TimeOff.objects.create(staff=away, starts_at=monday(9), ends_at=monday(12))
    provider(maple, "Tess Moor")
    late = make_member(maple.organization, "Uma Late")
    ServiceAssignment.objects.create(service=maple.review, staff=late)
    make_member(maple.organization, "Vic Other")

    page = as_sky.get(address("appointment-reassign", appointment))

    assert offered(page) == [("Tess Moor", []), ("Uma Late", ["Outside their working hours."])]
    assert [(each.member.name, each.notes) for each in page.context["form"].candidates.busy] == [
        ("Ben Carter", ["Has another appointment then."]),
        ("Chloe Dubois", ["Is off then."]),
    ]


def test_the_form_shows_the_effect_on_the_link_for_each_candidate(maple_with_teams: Maple, as_sky: Browser):
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    make_match(Connection.objects.get(), provider(maple_with_teams, "Ben Carter"), remote_id="ben")
    provider(maple_with_teams, "Tess Moor")
    own = "https://meet.example/uma"
    provider(
        maple_with_teams,
        "Uma Own",
        video_choice=VideoChoice.PERSONAL,
        personal_meeting_url=own,
        personal_meeting_note="Ring twice.",
    )

    page = as_sky.get(address("appointment-reassign", appointment))

    assert offered(page) == [
        ("Ben Carter", ["Same link."]),
        ("Uma Own", [f"On their personal link, {own}. Ring twice."]),
    ]
    assert [member.name for member, _blocking_reason in page.context["form"].candidates.unable] == ["Tess Moor"]


@pytest.mark.parametrize("case", ["another organisation's", "not able", "missing", "text"])
def test_a_staff_member_who_is_not_offered_is_not_a_choice(maple: Maple, as_sky: Browser, case: str):
    appointment = maple.book()
    provider(maple, "Tess Moor")
    people = {
        "another organisation's": str(make_member(make_organization("Cedar Bank"), "Otto Weber").pk),
        "not able": str(make_member(maple.organization, "Vic Other").pk),
        "missing": "",
        "text": "Tess",
    }

    page = as_sky.post(
        address("appointment-reassign", appointment), {"staff": people[case], "version": appointment.version}
    )

    appointment.refresh_from_db()
    assert (page.status_code, appointment.staff) == (200, maple.sam)
    assert list(page.context["form"].errors) == ["staff"]


def test_the_second_reassign_shows_the_first_change(maple: Maple, as_sky: Browser):
    tess, ben, appointment = provider(maple, "Tess Moor"), provider(maple, "Ben Carter"), maple.book()
    reassign(as_sky, appointment, ben)
    seen = appointment.version

    page = reassign(as_sky, appointment, tess, version=seen)

    assert page.context["form"].non_field_errors() == [
        "Sky Larsen changed this appointment meanwhile: Reassigned from Sam Okafor to Ben Carter. Look at it again."
    ]


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_candidates_take_the_same_queries_for_any_number(
    maple_with_teams: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    for number in range(how_many):
        member = provider(maple_with_teams, f"Tess{number} Moor")
        make_match(Connection.objects.get(), member, remote_id=f"tess-{number}")

    with django_assert_num_queries(REASSIGN_QUERIES):
        as_sky.get(address("appointment-reassign", appointment))


# Session, member, row of the session, appointment; providers; hosting twice (connections, matches); calendars.
REASSIGN_QUERIES = 10


def move(browser: Browser, appointment: Appointment, **more):
    sent = {"date": "2026-11-30", "time": "11:00", "version": appointment.version, **more}
    return browser.post(address("appointment-move", appointment), sent)


def test_the_move_form_changes_the_length_if_the_service_allows_it(maple: Maple, as_sky: Browser):
    fixed, appointment = maple.book(starts_at=monday(15)), maple.book()
    ignored = move(as_sky, fixed, time="16:00", length="60")
    maple.review.adjustable_length = True
    maple.review.save()

    move(as_sky, appointment, length="60")

    appointment.refresh_from_db()
    fixed.refresh_from_db()
    assert (appointment.starts_at, appointment.ends_at) == (monday(11), monday(12))
    assert (ignored.status_code, fixed.ends_at) == (303, monday(16, 30))


@pytest.mark.parametrize("length", ["", "0", "-5", "1441", "long"])
def test_an_invalid_length_is_refused(maple: Maple, as_sky: Browser, length: str):
    maple.review.adjustable_length = True
    maple.review.save()

    page = move(as_sky, maple.book(), length=length)

    assert list(page.context["form"].errors) == ["length"]
    assert page.context["form"]["length"].value() == length


def test_the_second_move_shows_the_first_change(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    move(signed_in(maple.sam), appointment, time="14:00")

    page = move(as_sky, appointment)

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(14)
    assert page.context["form"].non_field_errors()[0].startswith("Sam Okafor changed this appointment meanwhile:")


def times_offered(page) -> tuple[list[datetime], list[datetime]]:
    times = page.context["form"].times
    return times.on_the_day, times.later


def test_the_move_form_never_offers_the_present_time(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    page = as_sky.get(address("appointment-move", appointment))

    on_the_day, _later = times_offered(page)
    assert monday(10) not in on_the_day
    assert {monday(9, 45), monday(10, 15)} < set(on_the_day)


def test_late_in_the_day_the_move_form_offers_the_next_day(maple: Maple):
    appointment = maple.book(starts_at=monday(16, 30))

    with time_machine.travel(monday(16, 20), tick=False):
        page = signed_in(maple.sky).get(address("appointment-move", appointment))

    on_the_day, later = times_offered(page)
    assert (on_the_day, later[0]) == ([], monday(9) + timedelta(days=1))


def test_the_present_time_may_be_typed_and_changes_nothing(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    response = move(as_sky, appointment, time="10:00")

    before = appointment.version
    appointment.refresh_from_db()
    assert (response.status_code, appointment.starts_at, appointment.version) == (303, monday(10), before)


def test_the_times_instead_of_a_taken_one_leave_out_the_present_time(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    maple.book(starts_at=monday(9, 30))

    page = move(as_sky, appointment, time="09:30")

    assert page.context["form"].date_time.next_free[0] == monday(10, 15)


def test_the_offered_times_have_room_for_a_changed_length(maple: Maple, as_sky: Browser):
    Service.objects.update(adjustable_length=True)
    appointment = maple.book()
    maple.book(starts_at=monday(12))

    page = move(as_sky, appointment, preview="choices", length="90")

    on_the_day = page.context["form"].times.on_the_day
    assert monday(10) in on_the_day
    assert on_the_day[-1] == monday(15, 30)
    assert monday(10, 45) not in on_the_day


def change(browser: Browser, appointment: Appointment, method: MeetingMethod, **more):
    sent = {"method": method.value, "version": appointment.version, **more}
    return browser.post(address("appointment-method", appointment), sent)


def test_the_method_changes_to_a_video_call_and_back(maple_with_teams: Maple, as_sky: Browser):
    appointment = maple_with_teams.book()

    change(as_sky, appointment, MeetingMethod.VIDEO)
    appointment.refresh_from_db()
    meeting = appointment.meeting
    change(as_sky, appointment, MeetingMethod.PHONE)

    appointment.refresh_from_db()
    assert meeting is not None
    meeting.refresh_from_db()
    assert (appointment.method, appointment.meeting) == (MeetingMethod.PHONE, None)
    assert meeting.desired_state == DesiredState.ABSENT


def test_staff_who_cannot_host_are_announced_and_refused(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    before = as_sky.get(address("appointment-method", appointment)).content.decode()
    after = change(as_sky, appointment, MeetingMethod.VIDEO)

    assert "Sam Okafor has no video platform." in before
    assert after.context["form"].non_field_errors()[0].startswith("Sam Okafor has no video platform.")
    appointment.refresh_from_db()
    assert appointment.method == MeetingMethod.AT_LOCATION


def test_the_location_changes(maple: Maple, as_sky: Browser):
    west, appointment = make_location(maple.organization, "West"), maple.book()

    change(as_sky, appointment, MeetingMethod.AT_LOCATION, location=west.pk)

    appointment.refresh_from_db()
    assert appointment.location == west


def test_a_visit_to_a_closed_branch_is_refused_with_the_next_times_there(maple: Maple, as_sky: Browser):
    branch = make_location(maple.organization)
    StaffMember.objects.filter(pk=maple.sam.pk).update(location=branch)
    DateOverride.objects.create(location=branch, first_day=monday(0).date(), last_day=monday(0).date())
    appointment = maple.book(method=MeetingMethod.PHONE)

    refused = change(as_sky, appointment, MeetingMethod.AT_LOCATION)
    moving = as_sky.get(address("appointment-move", appointment), {"pick": "2026-12-01T09:00"})
    anyway = change(as_sky, appointment, MeetingMethod.AT_LOCATION, outside_hours="on")

    form = refused.context["form"]
    assert form.non_field_errors() == ["Main Street is closed on 30 November. Choose another time."]
    assert form.next_free[0] == monday(9) + timedelta(days=1)
    assert f'href="{address("appointment-move", appointment)}?pick=2026-12-01T09%3A00"' in refused.text
    assert moving.context["form"].date_time.picked_value == "2026-12-01T09:00"
    assert anyway.status_code == 303
    appointment.refresh_from_db()
    assert appointment.method == MeetingMethod.AT_LOCATION


def test_another_organisations_location_is_not_a_choice(maple: Maple, as_sky: Browser):
    foreign, appointment = make_location(make_organization("Cedar Bank")), maple.book()

    page = change(as_sky, appointment, MeetingMethod.AT_LOCATION, location=foreign.pk)

    assert list(page.context["form"].errors) == ["location"]


def test_a_phone_call_to_a_client_without_a_number_is_refused(maple: Maple, as_sky: Browser):
    appointment = maple.book(client=make_client(maple.organization, "Zoë"))

    page = change(as_sky, appointment, MeetingMethod.PHONE)

    assert page.context["form"].non_field_errors() == [
        "Zoë has no phone number to call. Add one, or choose another meeting method."
    ]


def test_the_page_offers_only_what_can_be_changed(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    Appointment.objects.update(status=Status.SERVED)

    content = as_sky.get(address("appointment", appointment)).content.decode()

    for name in ("appointment-move", "appointment-reassign", "appointment-method", "appointment-cancel"):
        assert f'href="{address(name, appointment)}"' not in content


def test_staff_see_no_reassign_button(maple: Maple):
    appointment = maple.book()

    content = signed_in(maple.sam).get(address("appointment", appointment)).content.decode()

    assert f'href="{address("appointment-move", appointment)}"' in content
    assert f'href="{address("appointment-reassign", appointment)}"' not in content


def test_a_failed_email_is_sent_again(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    OutboxEmail.objects.update(state=EmailState.FAILED, error="Mailbox full.")
    mail = appointment.notifications.get(audience="client")

    content = as_sky.get(address("appointment", appointment)).content.decode()
    response = as_sky.post(reverse("appointment-mail-again", args=[appointment.pk, mail.pk]), follow=True)

    mail.email.refresh_from_db()
    assert content.count("Send again") == 2
    assert mail.email.state == EmailState.WAITING
    assert [str(message) for message in response.context["messages"]] == ["The email is being sent again."]


def test_an_email_of_another_appointment_is_not_found(maple: Maple, as_sky: Browser):
    appointment, other = maple.book(), maple.book(starts_at=monday(10) + timedelta(hours=2))
    mail = other.notifications.first()
    assert mail is not None

    response = as_sky.post(reverse("appointment-mail-again", args=[appointment.pk, mail.pk]))

    assert response.status_code == 404


def test_the_method_form_shows_the_personal_link_with_its_note(maple: Maple, as_sky: Browser):
    StaffMember.objects.filter(pk=maple.sam.pk).update(
        video_choice=VideoChoice.PERSONAL,
        personal_meeting_url="https://meet.example/sam",
        personal_meeting_note="Ring twice.",
    )
    appointment = maple.book(method=MeetingMethod.PHONE)

    page = as_sky.get(address("appointment-method", appointment)).content.decode()

    assert (
        "A video call takes place on the personal link of Sam Okafor, https://meet.example/sam. Ring twice."
    ) in " ".join(page.split())

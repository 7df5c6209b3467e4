"""Booking in one request: JSON or form data in, JSON out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from appointments.models import Appointment, BookedThrough, Notification, Status
from integrations.models import UserMatch
from services.models import MeetingMethod
from staff.models import Role, StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.factories import make_client, make_match, make_member, make_organization, make_service

pytestmark = pytest.mark.usefixtures("friday")

ADDRESS = "/contact-center/book/"
NOT_HERE = ["That choice is not available here. Choose another one."]


def booking_data(maple: Maple, **changes: Any) -> dict[str, Any]:
    """Return a request for a review with Sam for Cleo at ten, with `changes`."""
    return {
        "service": maple.review.pk,
        "method": MeetingMethod.AT_LOCATION.value,
        "staff": maple.sam.pk,
        "client": maple.cleo.pk,
        "starts_at": monday(10).isoformat(),
        "request_key": "key-1",
        **changes,
    }


def send(browser: Browser, payload: Any) -> tuple[int, Any]:
    response = browser.post(ADDRESS, json.dumps(payload), content_type="application/json")
    return response.status_code, response.json()


def test_json_books(maple: Maple, as_sky: Browser):
    status, response = send(as_sky, booking_data(maple, client_note="First house", internal_note="VIP 🏡"))

    booked = Appointment.objects.get()
    assert (status, response) == (
        201,
        {"id": booked.pk, "url": f"/schedule/appointments/{booked.pk}/"},
    )
    assert (booked.starts_at, booked.staff, booked.booked_by, booked.booked_through) == (
        monday(10),
        maple.sam,
        maple.sky,
        BookedThrough.CONTACT_CENTER,
    )
    assert (booked.client_note, booked.internal_note) == ("First house", "VIP 🏡")


def test_an_unusual_offset_is_accepted(maple: Maple, as_sky: Browser):
    status, _ = send(as_sky, booking_data(maple, starts_at="2026-12-01T09:59+23:59"))

    assert (status, Appointment.objects.get().starts_at) == (201, monday(10))


def test_a_form_books(maple: Maple, as_sky: Browser):
    response = as_sky.post(ADDRESS, booking_data(maple))

    assert (response.status_code, Appointment.objects.count()) == (201, 1)


def test_a_known_client_is_booked_in_fifteen_statements(maple: Maple, as_sky: Browser, django_assert_num_queries: Any):
    # Session, member, session row, client, service, staff, locks (2), offer, calendar, appointment, event, emails (3).
    with django_assert_num_queries(15 + SAVEPOINT):
        send(as_sky, booking_data(maple))

    assert Notification.objects.count() == 2


# Inside a test's own transaction, the booking's BEGIN and COMMIT are a savepoint and its release.
SAVEPOINT = 2


def test_without_a_person_any_free_staff_member_takes_it(maple: Maple, as_sky: Browser):
    assert send(as_sky, booking_data(maple, staff=None))[0] == 201
    assert Appointment.objects.get().staff == maple.sam


def test_a_taken_time_is_409_with_the_next_free_times(maple: Maple, as_sky: Browser):
    maple.book()

    assert send(as_sky, booking_data(maple)) == (
        409,
        {
            "error": "Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time.",
            "next_free": [int((monday(10, 30) + timedelta(minutes=15 * n)).timestamp()) for n in range(3)],
        },
    )


def test_a_repeated_request_is_the_same_booking(maple: Maple, as_sky: Browser):
    assert send(as_sky, booking_data(maple)) == send(as_sky, booking_data(maple))
    assert send(as_sky, booking_data(maple, staff=None)) == send(as_sky, booking_data(maple))
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"service": "x"}, {"service": ["Enter a whole number."]}),
        ({"client": None}, {"client": ["This field is required."]}),
        ({"client": 10**30}, {"client": ["Ensure this value is less than or equal to 9223372036854775807."]}),
        ({"method": 9}, {"method": ["Select a valid choice. 9 is not one of the available choices."]}),
        ({"starts_at": "tomorrow"}, {"starts_at": ["Enter a valid date/time."]}),
        ({"starts_at": "2001-01-01T00:00:00Z"}, {"starts_at": ["That time has passed. Choose a later one."]}),
        ({"starts_at": "0001-01-01T00:00:00Z"}, {"starts_at": ["Enter a valid date/time."]}),
        ({"starts_at": "9999-12-31", "outside_hours": True}, {"starts_at": ["Enter a valid date/time."]}),
        ({"starts_at": 1795626900}, {"starts_at": ["Enter a valid date/time."]}),
        ({"starts_at": ["tomorrow"]}, {"starts_at": ["Enter a valid date/time."]}),
        ({"request_key": ""}, {"request_key": ["Send a new random key with each booking."]}),
        ({"client": 10**17}, {"client": NOT_HERE}),
        ({"service": 10**17}, {"service": NOT_HERE}),
        ({"staff": 10**17}, {"staff": NOT_HERE}),
        (
            {"starts_at": monday(7).isoformat()},
            {"starts_at": ["Mon 30 Nov 2026, 07:00 is outside the working hours of Sam Okafor. Choose another time."]},
        ),
    ],
)
def test_an_impossible_booking_is_422_with_a_sentence_by_field(
    changes: dict[str, Any], errors: dict[str, list[str]], maple: Maple, as_sky: Browser
):
    assert send(as_sky, booking_data(maple, **changes)) == (422, {"errors": errors})
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("body", ["[]", "nothing", "{", "[" * 100_000, '{"a": "\\ud800"}', "1" * 5000, '{"a": NaN'])
def test_a_body_that_is_not_an_object_is_400(body: str, as_sky: Browser):
    response = as_sky.post(ADDRESS, body, content_type="application/json")

    assert (response.status_code, response.json()) == (
        400,
        {"errors": {"": ["Send a JSON object, or a form."]}},
    )


@pytest.mark.parametrize("field", ["service", "staff", "client"])
def test_rows_of_another_organisation_are_refused_for_any_staff(field: str, maple: Maple, as_sky: Browser):
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Lind", Role.ADMIN)
    foreign = {
        "service": make_service(cedar, provided_by=(otto,)),
        "staff": otto,
        "client": make_client(cedar),
    }

    assert send(as_sky, booking_data(maple, **{field: foreign[field].pk})) == (
        422,
        {"errors": {field: NOT_HERE}},
    )


def test_a_staff_member_who_does_not_provide_the_service_is_refused(maple: Maple, as_sky: Browser):
    assert send(as_sky, booking_data(maple, staff=maple.sky.pk)) == (
        422,
        {
            "errors": {
                "staff": ["Sky Larsen does not provide “Mortgage review”. Choose someone who does, or another service."]
            }
        },
    )


def test_a_time_without_an_offset_is_in_the_actors_zone_and_refused_if_ambiguous(maple: Maple, as_sky: Browser):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()

    assert send(as_sky, booking_data(maple, starts_at="2026-11-30T09:00:00"))[0] == 201
    assert Appointment.objects.get(status=Status.CONFIRMED).starts_at == monday(14)
    for clock in ("2027-03-14T02:30:00", "2027-11-07T01:30:00"):
        status, response = send(as_sky, booking_data(maple, starts_at=clock, request_key=clock))
        assert (status, list(response["errors"])) == (422, ["starts_at"])


def test_a_script_of_another_site_books_nothing(maple: Maple):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(maple.sky)

    assert browser.post(ADDRESS, json.dumps(booking_data(maple)), content_type="application/json").status_code == 403
    assert not Appointment.objects.exists()


# --- personal links, which must be confirmed ------------------------------------------------
@pytest.fixture
def sam_on_his_own_link(maple_with_teams: Maple) -> Maple:
    """Sam, who takes video calls on a personal link with a note."""
    sam = maple_with_teams.sam
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.personal_meeting_note = "Ring twice."
    sam.save()
    return maple_with_teams


@pytest.mark.parametrize(
    ("staff", "sentence"),
    [
        (
            True,
            "Video calls with Sam Okafor take place on a personal link, https://meet.example/sam. Ring twice.",
        ),
        (
            False,
            "Video calls of this service take place on personal links, of Sam Okafor.",
        ),
    ],
)
def test_a_personal_link_must_be_confirmed(staff: bool, sentence: str, sam_on_his_own_link: Maple, as_sky: Browser):
    maple = sam_on_his_own_link
    payload = booking_data(maple, method=MeetingMethod.VIDEO.value, staff=maple.sam.pk if staff else None)

    refused = send(as_sky, payload)
    booked, _answer = send(as_sky, {**payload, "personal_link": True})

    remedy = "Send personal_link=true to book one."
    assert refused == (422, {"errors": {"staff": [f"{sentence} {remedy}"]}})
    assert booked == 201
    assert Appointment.objects.get().personal_meeting_url == "https://meet.example/sam"


def test_any_staff_skips_members_with_a_personal_link(sam_on_his_own_link: Maple, as_sky: Browser, tess: StaffMember):
    make_match(UserMatch.objects.get().connection, tess)
    payload = booking_data(sam_on_his_own_link, method=MeetingMethod.VIDEO.value, staff=None)

    assert send(as_sky, payload)[0] == 201
    assert Appointment.objects.get().staff == tess


def test_a_phone_call_needs_no_confirmation_of_links(sam_on_his_own_link: Maple, as_sky: Browser):
    for number, staff in enumerate((sam_on_his_own_link.sam.pk, None)):
        at = monday(10 + number).isoformat()
        payload = booking_data(
            sam_on_his_own_link, method=MeetingMethod.PHONE.value, staff=staff, starts_at=at, request_key=at
        )
        assert send(as_sky, payload)[0] == 201

"""The Client View: service, method, time, details and confirmation, without cookies."""

from __future__ import annotations

import json
import re
from datetime import datetime, time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core import signing
from django.core.cache import cache
from django.core.signing import b64_decode
from django.http import HttpResponse
from django.test import Client as Browser

from appointments.changes.client_details import save_client
from appointments.models import Appointment, BookedThrough, Client
from coconut.rate_limits import Limit
from integrations.models import UserMatch
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, ServiceAssignment
from staff.models import WorkingHours
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import part, sent_to
from tests.factories import make_appointment, make_client, make_member, make_organization, make_service
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

BASE = "http://localhost:8000"
DETAILS = {"name": "Dora Winter", "email": "dora@example.com", "note": ""}


def address(maple: Maple, **changes: Any) -> str:
    query = {
        "service": maple.review.pk,
        "method": 1,
        "zone": "UTC",
        "start": int(monday(10).timestamp()),
        **changes,
    }
    return f"/book/maple/?{urlencode({name: text for name, text in query.items() if text != ''})}"


def visit(where: str) -> HttpResponse:
    return Browser().get(where)  # type: ignore[return-value]


def text_of(response: Any) -> str:
    return str(response.content.decode())


def send(maple: Maple, origin: str = BASE, where: str = "", **changes: Any) -> Any:
    """Open the details, fill them in and press Book, in a browser without cookies."""
    where = where or address(maple)
    page = visit(where)
    token = page.context["form"].token_to_send  # type: ignore[attr-defined]
    return Browser(enforce_csrf_checks=True).post(
        where, {**DETAILS, "token": token, **changes}, headers={"origin": origin}
    )


@pytest.fixture(autouse=True)
def _base(settings: Any) -> None:
    settings.BASE_URL = BASE


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    """Start each test with unused rate limits."""
    cache.clear()


def test_a_client_books_without_a_cookie(maple: Maple):
    responses = [
        visit("/book/maple/"),
        visit(address(maple, method="", start="")),
        visit(address(maple, start="")),
        visit(address(maple)),
        done := send(maple),
        booked := visit(done["Location"]),
    ]

    assert [dict(response.cookies) for response in responses] == [{}] * 6
    assert [response.status_code for response in responses] == [200, 200, 200, 200, 303, 200]
    appointment = Appointment.objects.get()
    assert (appointment.starts_at, appointment.staff, appointment.client.name) == (
        monday(10),
        maple.sam,
        "Dora Winter",
    )
    assert (appointment.booked_through, appointment.booked_by) == (BookedThrough.CLIENT_VIEW, None)
    assert "Your appointment is booked." in text_of(booked)
    # The email address isn't verified, so only the email has the private links.
    assert appointment.manage_token not in text_of(booked)
    assert "We’ve emailed you a confirmation." in text_of(booked)


def test_only_services_for_clients_are_shown(maple: Maple):
    make_service(maple.organization, "Hidden", public=False)
    make_service(maple.organization, "Ended", active=False)
    inside = make_service(maple.organization, "Inside", methods=())
    MeetingMethodOffer.objects.create(service=inside, method=1, offered_to=OfferedTo.STAFF)

    page = visit("/book/maple/")

    assert [service.name for service in page.context["services"]] == ["Mortgage review"]  # type: ignore[attr-defined]


def test_video_is_offered_only_if_a_staff_member_can_host(maple_with_teams: Maple):
    maple = maple_with_teams

    def offered() -> list[int]:
        page = visit(address(maple, method="", start=""))
        return [int(option.method) for option in page.context["selection"].options]  # type: ignore[attr-defined]

    before = offered()
    UserMatch.objects.update(enabled=False)

    assert (MeetingMethod.VIDEO in before, MeetingMethod.VIDEO in offered()) == (True, False)


@pytest.mark.parametrize("name", ["service", "method", "staff"])
@pytest.mark.parametrize("value", ["0", "999999", "-1", "x", "²", "9" * 40])
def test_an_unknown_choice_is_not_found(maple: Maple, name: str, value: str):
    assert visit(address(maple, **{name: value})).status_code == 404


def test_another_organisations_service_and_people_are_not_found(maple: Maple):
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Keller")
    theirs = make_service(cedar, provided_by=(otto,))

    assert visit(address(maple, service=theirs.pk)).status_code == 404
    assert visit(address(maple, staff=otto.pk)).status_code == 404


def test_a_method_for_staff_only_is_not_found(maple: Maple):
    MeetingMethodOffer.objects.filter(service=maple.review, method=1).update(offered_to=OfferedTo.STAFF)

    assert visit(address(maple)).status_code == 404


def test_an_unknown_organisation_is_not_found(maple: Maple):
    assert visit("/book/unknown/").status_code == 404


def test_an_unknown_zone_shows_a_warning_and_the_organisations_zone(maple: Maple):
    page = text_of(visit(address(maple, zone="Mars/Olympus", start="")))

    assert "There is no time zone of this name." in page
    assert "Times are in UTC." in page


def test_times_are_in_the_clients_zone(maple: Maple):
    page = visit(address(maple, zone="America/Toronto", day="2026-11-30", start=""))

    assert re.findall(r">(\d\d:\d\d)</a>", text_of(page))[:2] == ["04:00", "04:15"]
    assert "Times are in Toronto time (EST)." in text_of(page)


def test_the_zones_label_is_that_of_the_chosen_day(maple: Maple):
    maple.review.booking_horizon_days = 400
    maple.review.save()

    page = text_of(visit(address(maple, zone="America/Toronto", day="2027-07-07", start="")))

    assert "Times are in Toronto time (EDT)." in page


def test_on_the_day_of_a_clock_change_both_abbreviations_show(maple: Maple):
    maple.sam.time_zone = ZoneInfo("America/Toronto")
    maple.sam.save()
    WorkingHours.objects.all().delete()
    WorkingHours.objects.create(staff=maple.sam, weekday=6, start=time(1), end=time(3))
    maple.review.booking_horizon_days = 400
    maple.review.save()

    page = text_of(visit(address(maple, zone="America/Toronto", day="2027-11-07", start="")))

    assert "Times are in Toronto time (EDT, then EST)." in page
    assert ">01:00 EDT<" in page
    assert ">01:00 EST<" in page


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (datetime.fromisoformat("2026-11-27T09:00+00:00"), "That time has passed. Choose a later one."),
        (
            datetime.fromisoformat("2027-11-29T10:00+00:00"),
            "That is too far ahead. Choose a time in the next 90 days.",
        ),
        (monday(10, 5), "Choose one of the times that are offered."),
        (
            monday(3),
            "Nobody is free at Mon 30 Nov 2026, 03:00. Choose another time.",
        ),
    ],
)
def test_a_time_that_is_not_offered_is_refused_with_alternatives(maple: Maple, start: datetime, sentence: str):
    response = send(maple, where=address(maple, start=int(start.timestamp())))

    assert (response.status_code, Appointment.objects.count()) == (200, 0)
    assert response.context["form"].non_field_errors() == [sentence]


def test_a_time_within_the_minimum_notice_is_refused(maple: Maple):
    maple.review.minimum_notice = 60 * 24 * 5
    maple.review.save()

    response = send(maple)

    assert response.context["form"].non_field_errors() == ["That is too soon to be booked. Choose a later time."]


def test_a_taken_time_shows_the_next_free_times_and_keeps_the_input(maple: Maple):
    where = address(maple, staff=maple.sam.pk)
    token = visit(where).context["form"].token_to_send  # type: ignore[attr-defined]
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))
    response = Browser().post(
        where, {**DETAILS, "note": "By the <b>window</b>", "token": token}, headers={"origin": BASE}
    )

    form = response.context["form"]
    assert form.non_field_errors() == ["Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time."]
    assert form.alternatives[0][1] == "Monday 30 November, 10:30"
    assert "By the &lt;b&gt;window&lt;/b&gt;" in text_of(response)

    again = {**DETAILS, "token": form.token_to_send, "start": form.alternatives[0][0]}
    done = Browser().post(where, again, headers={"origin": BASE})

    assert done.status_code == 303
    assert Appointment.objects.filter(starts_at=monday(10, 30)).count() == 1


def test_a_form_submitted_twice_is_one_booking(maple: Maple):
    token = visit(address(maple)).context["form"].token_to_send  # type: ignore[attr-defined]
    for _time in range(2):
        response = Browser().post(address(maple), {**DETAILS, "token": token}, headers={"origin": BASE})
        assert response.status_code == 303

    assert (Appointment.objects.count(), Client.objects.filter(name="Dora Winter").count()) == (1, 1)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8001", "http://["])
def test_a_form_from_another_site_books_nothing(maple: Maple, origin: str):
    assert (send(maple, origin=origin).status_code, Appointment.objects.count()) == (403, 0)


def test_a_forged_token_books_nothing_and_keeps_the_input(maple: Maple):
    response = send(maple, token="forged")

    assert (response.status_code, Appointment.objects.count()) == (200, 0)
    assert 'value="Dora Winter"' in text_of(response)


def test_another_organisations_token_books_nothing(maple: Maple):
    cedar = make_organization("Cedar Bank")
    form = visit(address(maple)).context["form"]  # type: ignore[attr-defined]

    assert send(maple, token=form.form_token.signed(cedar)).status_code == 200
    assert Appointment.objects.count() == 0


def test_a_robot_that_fills_in_the_honeypot_books_nothing(maple: Maple):
    response = send(maple, website="https://x.example")

    assert (response.status_code, Appointment.objects.count()) == (200, 0)
    assert "x.example" not in text_of(response)


def test_emoji_and_long_names_are_kept_and_longer_ones_refused(maple: Maple):
    name = "😀" * 300

    assert send(maple, name=name).status_code == 303
    assert Client.objects.filter(name=name).count() == 1
    response = send(maple, where=address(maple, start=int(monday(11).timestamp())), name=name + "x")
    assert list(response.context["form"].errors) == ["name"]


def test_a_phone_call_needs_a_number(maple: Maple):
    where = address(maple, method=2)

    refused = send(maple, where=where)
    done = send(maple, where=where, phone="+1 555 0123")

    assert refused.context["form"].errors["phone"] == ["Enter the phone number at which we call you."]
    assert (done.status_code, Appointment.objects.get().client.phone) == (303, "+1 555 0123")


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example",
        "Dora WWW.evil.example",
        "Dora dora@evil.example",
        "dora＠evil.example",
        "a://b",
        "Your account is locked, visit maple-secure.com/login",
        "maple-secure.example/unlock",
        "EVIL.COM",
    ],
)
def test_a_name_with_an_address_is_refused_with_a_sentence(maple: Maple, name: str):
    refused = send(maple, name=name)

    assert not Appointment.objects.exists()
    assert refused.context["form"].errors["name"] == [
        "Enter a name only, without a web address, email address or phone number."
    ]
    assert refused.context["form"]["name"].value() == name


@pytest.mark.parametrize(
    "name", ["Dr. J. O'Neil-Smith", "Dr.Schmidt", "Sammy Davis jr.", "Wwwanda Müller", "北原 あき", "Anne: Marie / Lee"]
)
def test_any_other_name_is_accepted(maple: Maple, name: str):
    assert send(maple, name=name).status_code == 303
    assert Client.objects.filter(name=name).exists()


def test_a_known_client_is_reused_and_sees_no_difference(maple: Maple):
    known = {"name": maple.cleo.name, "email": maple.cleo.email.upper()}

    page = text_of(visit(send(maple, **known)["Location"]))

    assert Client.objects.count() == 1
    assert maple.cleo.phone not in page


@pytest.mark.parametrize("phone", ["()", "+", "-", " . / ", "1234", "(1) 2-3.4", "12345x"])
def test_a_phone_number_has_at_least_five_digits(maple: Maple, phone: str):
    refused = send(maple, where=address(maple, method=2), phone=phone, name=maple.cleo.name, email=maple.cleo.email)

    assert not Appointment.objects.exists()
    assert refused.context["form"]["phone"].value() == phone
    assert refused.context["form"].errors["phone"][0].endswith((".", "0100."))


def test_a_pasted_phone_number_is_cleaned(maple: Maple):
    send(maple, where=address(maple, method=2), phone="\u202a+1 416\u2013555\u20130101\u202c")

    assert Appointment.objects.get().client.phone == "+14165550101"


@pytest.mark.parametrize("phone", ["+14165550101", "+1 (416) 555-0101", "+1 416 555 9999"])
def test_the_confirmation_page_is_the_same_for_known_and_unknown_clients(maple: Maple, phone: str):
    maple.cleo.phone = "+1 416 555 0101"
    maple.cleo.save()
    pages = []

    for hour, email in ((10, maple.cleo.email), (11, "stranger@example.com")):
        where = address(maple, method=2, staff=maple.sam.pk, start=int(monday(hour).timestamp()))
        done = send(maple, where=where, phone=phone, name="CLEO BRANDT", email=email)
        page = text_of(visit(done["Location"]))
        assert "We’ll call you at your appointment’s time." in page
        assert not {maple.cleo.phone, maple.cleo.name, maple.cleo.email, email} & set(re.findall(r"[^<>]+", page))
        pages.append(re.sub(r"1[01]:[03]0|booked/[^\"]+", "", page))

    assert pages[0] == pages[1]


def test_another_phone_number_adds_another_client(maple: Maple):
    known = {"name": maple.cleo.name, "email": maple.cleo.email}

    send(maple, where=address(maple, method=2), phone="+1 555 9999", **known)

    assert Client.objects.filter(name=maple.cleo.name).count() == 2


def test_the_confirmation_needs_the_reference(maple: Maple):
    done = send(maple)["Location"]

    assert visit(done)["X-Robots-Tag"] == "noindex, nofollow"
    assert visit(done[:-3] + "x/").status_code == 404
    make_organization("Cedar Bank")
    assert visit(done.replace("maple", "cedar")).status_code == 404


def test_the_reference_holds_no_running_number(maple: Maple):
    where = send(maple)["Location"]

    [signed] = re.findall(r"/booked/([^:]+):", where)
    public_id, fingerprint = json.loads(b64_decode(signed.encode()))
    appointment = Appointment.objects.get()
    assert UUID(public_id) == appointment.public_id
    assert fingerprint not in appointment.join_token


def test_a_reference_of_an_earlier_version_has_expired(maple: Maple):
    appointment = maple.book_online()

    reference = signing.dumps(appointment.pk, salt="appointments.client_view.selection.booked")

    assert visit(f"/book/maple/booked/{reference}/").status_code == 404


def test_no_step_shows_internal_data(maple: Maple):
    maple.book_online(internal_note="VIP", starts_at=monday(12))
    booked = send(maple)["Location"]
    steps = ["/book/maple/", address(maple, method="", start=""), address(maple, start=""), address(maple)]

    pages = "".join(text_of(visit(where)) for where in [*steps, booked])

    assert [maple.sam.email in pages, "VIP" in pages, maple.cleo.name in pages] == [False] * 3


def test_only_the_organisations_sites_can_embed_it(maple: Maple):
    closed = visit("/book/maple/")
    maple.organization.embed_origins = "https://www.maple.example"
    maple.organization.save()
    opened = visit("/book/maple/")

    assert "frame-ancestors 'none'" in closed["Content-Security-Policy"]
    assert closed["X-Frame-Options"] == "DENY"
    assert "frame-ancestors https://www.maple.example;" in opened["Content-Security-Policy"] + ";"
    assert "X-Frame-Options" not in opened
    own = maple.book_online()
    for elsewhere in (visit("/sign-in/"), visit(f"/appointments/{own.manage_token}/")):
        assert "frame-ancestors 'none'" in elsewhere["Content-Security-Policy"]
        assert elsewhere["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("more", [0, 2])
def test_any_number_of_services_takes_the_same_queries(maple: Maple, more: int, django_assert_num_queries: Any):
    for number in range(more):
        make_service(maple.organization, f"Service {number}")

    with django_assert_num_queries(3):
        visit("/book/maple/")


def test_too_many_bookings_with_one_email_must_wait_unless_limits_are_off(
    maple: Maple, monkeypatch: pytest.MonkeyPatch, settings: Any
):
    limit = Limit("test-email", 0, 3600)
    monkeypatch.setattr("appointments.client_view.rate_limits._BOOKINGS_OF_VISITOR_AND_MAILBOX", limit)

    refused = send(maple)

    assert (refused.status_code, Appointment.objects.count()) == (429, 0)
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many appointments were booked with this email today." in text_of(refused)
    settings.RATE_LIMITS = False
    assert send(maple).status_code == 303


def test_a_booking_changes_nothing_that_is_stored_about_a_known_client(maple: Maple):
    known = {"name": maple.cleo.name.upper(), "email": maple.cleo.email.upper()}
    stored = Client.objects.filter(pk=maple.cleo.pk).values().get()

    booked = visit(send(maple, where=address(maple, zone="America/Toronto"), **known)["Location"])

    assert Client.objects.values().get() == stored
    appointment = Appointment.objects.get()
    assert (appointment.client, str(appointment.client_zone)) == (maple.cleo, "America/Toronto")
    assert "05:00–05:30" in text_of(booked)
    send_all()
    assert "05:00 – 05:30, Toronto time (EST)" in part(sent_to(maple.cleo.email), "text/plain")


def test_without_a_chosen_zone_the_stored_zone_of_a_known_client_is_not_shown(maple: Maple):
    Client.objects.filter(pk=maple.cleo.pk).update(time_zone="Asia/Tokyo")

    done = send(maple, where=address(maple, zone=""), name=maple.cleo.name, email=maple.cleo.email)
    appointment = Appointment.objects.get()
    pages = [text_of(visit(done["Location"])), text_of(visit(f"/join/{appointment.join_token}/"))]

    assert (appointment.client, str(appointment.client_zone)) == (maple.cleo, "UTC")
    assert "10:00–10:30" in pages[0]
    assert not any("Tokyo" in page or "19:00" in page for page in pages)


def test_an_appointment_that_staff_book_is_in_the_clients_own_zone(maple: Maple):
    send(maple, where=address(maple, zone="America/Toronto"), name=maple.cleo.name, email=maple.cleo.email)

    assert str(maple.book(starts_at=monday(14)).client_zone) == "UTC"


@pytest.mark.parametrize("more", [0, 2])
def test_a_booking_takes_the_same_queries_for_any_number_of_people(
    maple: Maple, more: int, django_assert_num_queries: Any
):
    make_client(maple.organization, "Dora Winter", email="dora@example.com", time_zone="UTC")
    for number in range(more):
        person = make_member(maple.organization, f"Person{number} Lind")
        ServiceAssignment.objects.create(service=maple.review, staff=person)
    where = address(maple, staff=maple.sam.pk)
    token = visit(where).context["form"].token_to_send  # type: ignore[attr-defined]

    # Three of them read the candidates' locations, because Sam has none of his own.
    with django_assert_num_queries(21):
        done = Browser().post(where, {**DETAILS, "token": token}, headers={"origin": BASE})

    assert done.status_code == 303


def test_a_long_name_is_refused_before_it_is_normalised(maple: Maple, monkeypatch: pytest.MonkeyPatch):
    def fail(form: str, text: str) -> str:
        raise AssertionError(f"Normalised {len(text)} characters.")

    monkeypatch.setattr("appointments.forms.client_view.normalize", fail)

    refused = send(maple, name="\ufdfa" * 3_000)

    assert refused.status_code == 200
    assert "at most 300 characters" in str(refused.context["form"].errors["name"])


@pytest.mark.parametrize("name", ["Sam, call +1 900 555 0100", "Dora 0190 12345", "Dora １９００５５５"])
def test_a_name_with_a_phone_number_is_refused(maple: Maple, name: str):
    assert "phone number" in str(send(maple, name=name).context["form"].errors["name"])


def test_a_name_may_have_a_few_digits(maple: Maple):
    assert send(maple, name="Dora Winter 3rd").status_code == 303


def test_the_confirmation_page_ends_when_the_email_is_corrected(maple: Maple):
    where = send(maple)["Location"]
    assert Browser().get(where).status_code == 200

    client = Client.objects.get(email=DETAILS["email"])
    client.email = "dora.winter@example.org"
    save_client(client, actor=maple.sky)

    assert Browser().get(where).status_code == 404


def test_a_used_form_does_not_lead_to_the_new_links_of_a_corrected_email(maple: Maple):
    token = visit(address(maple)).context["form"].token_to_send  # type: ignore[attr-defined]
    form = {**DETAILS, "token": token}
    Browser().post(address(maple), form, headers={"origin": BASE})
    client = Client.objects.get(email=DETAILS["email"])
    client.email = "dora.winter@example.org"
    save_client(client, actor=maple.sky)

    again = Browser().post(address(maple), form, headers={"origin": BASE})

    assert again.status_code == 200
    assert Appointment.objects.count() == 1

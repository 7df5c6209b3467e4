"""Page of an appointment behind the client's private link."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest.mock import ANY
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse

from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.client_view.mailboxes import mailbox_of
from appointments.models import Appointment, BookedThrough, Client, Status
from coconut.observability.logs import mask
from coconut.rate_limits import Limit
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import NOW, Maple, monday
from tests.appointments.mailbox import move
from tests.factories import make_location

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def appointment(maple: Maple) -> Appointment:
    return maple.book(method=MeetingMethod.PHONE)


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    """Start each test with unused rate limits."""
    cache.clear()


@pytest.fixture
def visitor() -> Browser:
    """A browser without account, cookies and CSRF token."""
    return Browser(enforce_csrf_checks=True)


def page_of(appointment: Appointment, action: str = "") -> str:
    return f"/appointments/{appointment.manage_token}/{action}"


def test_the_client_sees_service_time_and_staff_member_in_their_own_zone(appointment: Appointment, visitor: Browser):
    appointment.client.time_zone = ZoneInfo("America/Toronto")
    appointment.client.save()

    content = visitor.get(page_of(appointment)).content.decode()

    for words in ("Mortgage review", "Monday 30 November 2026", "05:00–05:30", "Toronto time (EST)"):
        assert words in content
    assert "Sam Okafor, Maple Credit Union" in content
    assert "We call you at +1 555 0100." in content


def test_an_in_person_appointment_is_shown_on_the_clock_of_the_branch(maple: Maple, visitor: Browser):
    vancouver = make_location(maple.organization, "Vancouver", time_zone=ZoneInfo("America/Vancouver"))
    booked = maple.book(location=vancouver, starts_at=monday(16), client_time_zone=ZoneInfo("Australia/Sydney"))

    content = visitor.get(page_of(booked)).content.decode()

    for words in ("Monday 30 November 2026", "09:00–09:30", "Vancouver time (MST)"):
        assert words in content


def test_after_the_staff_member_has_left_no_time_is_offered_but_a_number_to_call(
    appointment: Appointment, visitor: Browser, maple: Maple
):
    maple.organization.phone = "+1 555 0199"
    maple.organization.save()
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)

    content = " ".join(visitor.get(page_of(appointment, "move/")).content.decode().split())

    assert "Sam Okafor no longer takes appointments, so this appointment can’t be moved here." in content
    assert "Please call Maple Credit Union:" in content
    assert 'href="tel:+15550199"' in content
    assert 'name="starts_at"' not in content


def test_the_calendar_file_of_a_client_without_an_email_has_no_attendee(
    appointment: Appointment, visitor: Browser, maple: Maple
):
    Client.objects.filter(pk=maple.cleo.pk).update(email="")

    entry = visitor.get(reverse("manage-calendar", args=[appointment.manage_token])).content.decode()

    assert "BEGIN:VEVENT" in entry
    assert "ATTENDEE" not in entry


def test_the_client_page_shows_the_shared_note_and_never_the_internal_one(appointment: Appointment, visitor: Browser):
    Appointment.objects.update(client_note="Bring <i>both</i> keys.", internal_note="VIP")

    own = visitor.get(page_of(appointment)).content.decode()
    forwarded = visitor.get(f"/join/{appointment.join_token}").content.decode()

    assert "Bring &lt;i&gt;both&lt;/i&gt; keys." in own
    assert [words in forwarded for words in ("both", "VIP")] == [False, False]
    assert "VIP" not in own


def test_the_page_is_not_cached_or_indexed(appointment: Appointment, visitor: Browser):
    headers = visitor.get(page_of(appointment)).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"


def test_an_unknown_token_is_a_404_without_navigation(appointment: Appointment, visitor: Browser):
    page = visitor.get("/appointments/no-such-token-at-all/")

    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert 'aria-label="Main"' not in page.content.decode()


def test_the_join_token_does_not_open_the_page(appointment: Appointment, visitor: Browser):
    assert visitor.get(f"/appointments/{appointment.join_token}/").status_code == 404


def test_tokens_cannot_be_guessed_and_are_masked_in_logs(maple: Maple):
    first, second = maple.book(), maple.book(starts_at=monday(11))

    tokens = {first.manage_token, first.join_token, second.manage_token, second.join_token}
    # 192 random bits in base64.
    assert [len(token) for token in tokens] == [32, 32, 32, 32]
    assert mask(f"GET {page_of(first, 'move/')}") == "GET /appointments/***/move/"
    assert mask(f"GET /join/{first.join_token}") == "GET /join/***"


@pytest.mark.parametrize("action", ["", "move/", "cancel/", "appointment.ics"])
def test_get_requests_change_nothing(appointment: Appointment, visitor: Browser, action: str):
    events = appointment.events.count()

    visitor.get(page_of(appointment, action))

    appointment.refresh_from_db()
    assert (appointment.status, appointment.starts_at) == (Status.CONFIRMED, monday(10))
    assert appointment.events.count() == events


def test_cancel_after_confirmation(appointment: Appointment, visitor: Browser):
    confirmation = visitor.get(page_of(appointment, "cancel/")).content.decode()
    response = visitor.post(page_of(appointment, "cancel/"))

    appointment.refresh_from_db()
    assert "Cancel this appointment?" in confirmation
    assert (response.status_code, response["Location"]) == (303, page_of(appointment))
    assert appointment.status == Status.CANCELLED
    assert "This appointment is cancelled." in visitor.get(page_of(appointment)).content.decode()


def test_clients_cannot_cancel_an_appointment_that_has_begun(appointment: Appointment, visitor: Browser):
    with time_machine.travel(monday(10, 5), tick=False):
        page = visitor.post(page_of(appointment, "cancel/")).content.decode()

    appointment.refresh_from_db()
    assert "This appointment has begun. Please call us." in page
    assert appointment.status == Status.CONFIRMED


def test_a_past_appointment_shows_that_it_is_over(appointment: Appointment, visitor: Browser):
    with time_machine.travel(monday(12), tick=False):
        content = visitor.get(page_of(appointment)).content.decode()

    assert "This appointment is over." in content
    assert "Cancel appointment" not in content


LAST_MOMENT = monday(10, 30) + timedelta(days=30, seconds=-1)
PATHS = ["", "move/", "cancel/", "appointment.ics"]


@pytest.mark.parametrize("action", PATHS)
def test_the_link_opens_the_appointment_until_30_days_after_its_end(
    appointment: Appointment, visitor: Browser, action: str
):
    with time_machine.travel(LAST_MOMENT, tick=False):
        before = visitor.get(page_of(appointment, action))
    with time_machine.travel(LAST_MOMENT + timedelta(seconds=1), tick=False):
        after = visitor.get(page_of(appointment, action))

    assert [before.status_code, after.status_code] == [200, 410]
    assert after["Cache-Control"] == "no-store"
    content = after.content.decode()
    assert "The link worked until 30 days after your appointment." in content
    assert [words in content for words in ("Mortgage review", "Sam Okafor", "+1 555 0100")] == [False] * 3


@pytest.mark.parametrize("action", ["move/", "cancel/"])
def test_a_link_that_has_ended_changes_nothing(maple: Maple, appointment: Appointment, visitor: Browser, action: str):
    maple.organization.phone = "+1 555 0101"
    maple.organization.save()
    with time_machine.travel(LAST_MOMENT + timedelta(seconds=1), tick=False):
        page = visitor.post(page_of(appointment, action), {"starts_at": monday(14).isoformat()})

    appointment.refresh_from_db()
    assert (page.status_code, appointment.version) == (410, 0)
    sentence = "If you have a question, or would like a new appointment, please call Maple Credit Union:"
    assert sentence in page.content.decode()
    assert 'href="tel:+15550101"' in page.content.decode()


def test_a_link_lasts_longer_if_the_appointment_moves(appointment: Appointment, visitor: Browser):
    move_appointment(
        appointment, starts_at=monday(10) + timedelta(days=7), actor=None, through=BookedThrough.CLIENT_VIEW
    )

    with time_machine.travel(LAST_MOMENT + timedelta(days=7), tick=False):
        assert visitor.get(page_of(appointment)).status_code == 200


def test_move_offers_free_times_of_the_same_person_by_day(maple: Maple, appointment: Appointment, visitor: Browser):
    maple.review.minimum_notice = 3 * 24 * 60
    maple.review.save()

    days = visitor.get(page_of(appointment, "move/")).context["days"]

    # Three days from Friday noon is Monday noon.
    assert days[0] == ((NOW + timedelta(days=3)).date(), ANY)
    assert days[0][1][0] == monday(12)


def times_on(content: str) -> list[str]:
    """Return the days that the move page offers."""
    return re.findall(r"<legend[^>]*>(.*?)</legend>", content)


def test_the_client_pages_to_later_times_and_back(appointment: Appointment, visitor: Browser):
    first = visitor.get(page_of(appointment, "move/")).content.decode()
    later = visitor.get(page_of(appointment, "move/?from=2026-12-07")).content.decode()

    assert times_on(first) == ["Friday 27 November", "Monday 30 November", "Tuesday 1 December"]
    assert re.findall(r"\?from=[\d-]+", first) == ["?from=2026-12-02"]
    assert "Earliest times" not in first
    assert times_on(later)[0] == "Monday 7 December"
    assert f'href="{page_of(appointment, "move/")}">Earliest times</a>' in later


def test_every_day_to_move_to_is_shown_in_full(appointment: Appointment, visitor: Browser):
    content = visitor.get(page_of(appointment, "move/")).content.decode()

    # Nine to five, half an hour each.
    assert content.count('value="2026-12-01T') == 31


def test_the_last_page_of_times_links_back(appointment: Appointment, visitor: Browser):
    content = visitor.get(page_of(appointment, "move/?from=2199-12-31")).content.decode()

    assert "No other time is free at the moment." in content
    assert "Earliest times" in content
    assert "Later times" not in content


def test_a_move_to_a_time_of_a_later_page(appointment: Appointment, visitor: Browser):
    visitor.post(page_of(appointment, "move/?from=2026-12-07"), {"starts_at": "2026-12-07T09:00:00+00:00"})

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(9) + timedelta(days=7)


def test_a_move_to_a_free_time(appointment: Appointment, visitor: Browser):
    response = visitor.post(page_of(appointment, "move/"), {"starts_at": monday(14).isoformat()})

    appointment.refresh_from_db()
    assert (response.status_code, response["Location"]) == (303, page_of(appointment, "?moved=yes"))
    assert appointment.starts_at == monday(14)
    assert "Your appointment is moved to this time." in visitor.get(response["Location"]).content.decode()


def test_a_time_that_was_just_taken_is_refused_with_the_other_times(
    maple: Maple, appointment: Appointment, visitor: Browser
):
    maple.book(starts_at=monday(14))

    page = visitor.post(page_of(appointment, "move/"), {"starts_at": monday(14).isoformat()})

    appointment.refresh_from_db()
    assert page.context["error"] == "Sam Okafor is not free at Mon 30 Nov 2026, 14:00. Choose another time."
    assert appointment.starts_at == monday(10)


@pytest.mark.parametrize("sent", ["", "soon", "2026-11-30T14:00", "2026-13-45T99:00+00:00"])
def test_an_invalid_time_is_refused(appointment: Appointment, visitor: Browser, sent: str):
    page = visitor.post(page_of(appointment, "move/"), {"starts_at": sent})

    assert page.context["error"] == "Choose one of the times."


def test_the_calendar_file_never_holds_the_manage_token(appointment: Appointment, visitor: Browser):
    response = visitor.get(page_of(appointment, "appointment.ics"))

    content = response.content.decode()
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert "DTSTART:20261130T100000Z" in content
    assert appointment.manage_token not in content


@pytest.mark.parametrize("action", ["", "move/", "cancel/", "appointment.ics"])
def test_a_token_that_the_database_refuses_is_unknown(visitor: Browser, db: None, action: str):
    page = visitor.get(f"/appointments/no%00token/{action}")

    assert page.status_code == 404


def test_an_error_shows_the_time_in_the_clients_zone(appointment: Appointment, visitor: Browser, maple: Maple):
    appointment.client.time_zone = ZoneInfo("America/Toronto")
    appointment.client.save()
    maple.book(starts_at=monday(15))

    page = visitor.post(page_of(appointment, "move/"), {"starts_at": monday(15).isoformat()})

    assert page.context["error"] == "Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time."


def test_a_client_can_give_a_reason_and_book_again(appointment: Appointment, visitor: Browser):
    visitor.post(page_of(appointment, "cancel/"), {"reason": "I am <b>away</b>."})
    page = visitor.get(page_of(appointment)).content.decode()

    appointment.refresh_from_db()
    assert appointment.cancel_reason == "I am <b>away</b>."
    # Only staff read it: anyone with the link could have written it.
    assert "away" not in page
    assert f'href="/book/maple/?service={appointment.service_id}&amp;zone=UTC&amp;proof=' in page


def test_the_client_reads_a_reason_that_staff_gave(maple: Maple, appointment: Appointment, visitor: Browser):
    cancel_appointment(appointment, actor=maple.sky, through=BookedThrough.SCHEDULE, reason="We are <b>closed</b>.")

    page = visitor.get(page_of(appointment)).content.decode()

    assert "Reason: We are &lt;b&gt;closed&lt;/b&gt;." in page


def test_a_reason_that_is_too_long_is_refused_and_nothing_is_cancelled(appointment: Appointment, visitor: Browser):
    visitor.post(page_of(appointment, "cancel/"), {"reason": "x" * 301})

    appointment.refresh_from_db()
    assert appointment.status == Status.CONFIRMED


@pytest.mark.parametrize("action", ["", "move/", "cancel/", "appointment.ics"])
def test_no_private_page_sets_a_cookie(appointment: Appointment, visitor: Browser, action: str):
    assert dict(visitor.get(page_of(appointment, action)).cookies) == {}


def test_too_many_guesses_must_wait_and_valid_links_do_not_count(
    appointment: Appointment, visitor: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("appointments.client_view.rate_limits._GUESSES", Limit("test-guesses", 2, 600))

    responses = [visitor.get(page_of(appointment)).status_code for _time in range(4)]
    guesses = [visitor.get(f"/appointments/guess{number}/") for number in range(3)]

    assert responses == [200] * 4
    assert [response.status_code for response in guesses] == [404, 404, 429]
    assert 0 < int(guesses[2]["Retry-After"]) <= 600
    assert visitor.get(page_of(appointment)).status_code == 429


FREE = [monday(hour, minute) for hour in (11, 14, 15) for minute in (0, 30)]


@pytest.mark.parametrize(
    ("limit", "times"), [("_MOVES_OF_APPOINTMENT", 3), ("_CHANGES", 3), ("_CHANGES_OF_MAILBOX", 3)]
)
def test_too_many_moves_are_refused_with_a_sentence_and_a_phone_number(
    maple: Maple,
    appointment: Appointment,
    visitor: Browser,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    times: int,
):
    monkeypatch.setattr(f"appointments.client_view.rate_limits.{limit}", Limit("test-moves", times, 3600))
    maple.organization.phone = "+1 555 0101"
    maple.organization.save()

    moves = [visitor.post(page_of(appointment, "move/"), {"starts_at": start.isoformat()}) for start in FREE]

    appointment.refresh_from_db()
    assert [response.status_code for response in moves] == [303] * times + [429] * (len(FREE) - times)
    assert appointment.starts_at == FREE[times - 1]
    assert appointment.events.filter(kind="moved").count() == times
    assert "This appointment can’t be moved here at the moment." in moves[-1].content.decode()
    assert "+1 555 0101" in moves[-1].content.decode()
    # No times, as none could be chosen.
    assert 'name="starts_at"' not in moves[-1].content.decode()
    assert 0 < int(moves[-1]["Retry-After"]) <= 3600
    # Staff aren't limited, and the client can still cancel.
    move(appointment, hour=10)
    assert visitor.post(page_of(appointment, "cancel/")).status_code == (429 if limit == "_CHANGES" else 303)


def test_a_refused_move_does_not_count(
    maple: Maple, appointment: Appointment, visitor: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("appointments.client_view.rate_limits._MOVES_OF_APPOINTMENT", Limit("test-refused", 1, 3600))

    sent = ["", "x", monday(3).isoformat(), FREE[0].isoformat()]
    moves = [visitor.post(page_of(appointment, "move/"), {"starts_at": text}) for text in sent]

    assert [response.status_code for response in moves] == [200, 200, 200, 303]


def test_too_many_cancellations_from_one_address_are_refused(
    appointment: Appointment, visitor: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("appointments.client_view.rate_limits._CHANGES", Limit("test-cancel", 0, 3600))

    refused = visitor.post(page_of(appointment, "cancel/"), {"reason": "Ill"})

    appointment.refresh_from_db()
    assert (refused.status_code, appointment.status) == (429, Status.CONFIRMED)
    assert "Too many appointments were changed from here." in refused.content.decode()
    assert 'value="Ill"' in refused.content.decode()


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("cleo@example.com", "cleo@example.com"),
        ("Cleo+bomb1@Example.com", "cleo@example.com"),
        ("cleo+a+b@example.com", "cleo@example.com"),
        ("c.leo+x@gmail.com", "cleo@gmail.com"),
        ("cleo@googlemail.com", "cleo@gmail.com"),
        ("c.leo@example.com", "c.leo@example.com"),
        ("+x@example.com", "+x@example.com"),
    ],
)
def test_addresses_of_one_mailbox_share_a_limit(email: str, mailbox: str):
    assert mailbox_of(email) == mailbox


def test_after_a_cancellation_the_link_changes_nothing(appointment: Appointment, visitor: Browser):
    visitor.post(page_of(appointment, "cancel/"))

    responses = [
        visitor.post(page_of(appointment, "move/"), {"starts_at": monday(11).isoformat()}),
        visitor.post(page_of(appointment, "cancel/")),
    ]

    appointment.refresh_from_db()
    assert [response.status_code for response in responses] == [200, 200]
    assert (appointment.status, appointment.starts_at) == (Status.CANCELLED, monday(10))


@pytest.mark.parametrize(
    ("of_the_house", "of_the_branch", "number"),
    [("", "", None), ("+1 555 0101", "", "+1 555 0101"), ("+1 555 0101", "+1 555 0102", "+1 555 0102")],
)
def test_the_client_sees_the_organisations_number_and_no_staff_address(
    maple: Maple, visitor: Browser, of_the_house: str, of_the_branch: str, number: str | None
):
    maple.organization.phone = of_the_house
    maple.organization.save()
    maple.sam.location = make_location(maple.organization, phone=of_the_branch)
    maple.sam.save()
    appointment = maple.book(method=MeetingMethod.PHONE)
    visitor.post(page_of(appointment, "cancel/"))

    page = " ".join(visitor.get(page_of(appointment)).content.decode().split())

    sentence = "Maple Credit Union and ask for Sam Okafor"
    assert (f"Please call {sentence}:" if number else f"Please contact {sentence}.") in page
    assert re.findall(r'href="tel:(.*?)"', page) == ([number.replace(" ", "")] if number else [])
    assert maple.sam.email not in page


@pytest.mark.parametrize("token", ["join_token", "staff_join_token"])
def test_the_join_links_end_with_the_manage_link(appointment: Appointment, visitor: Browser, token: str):
    link = reverse("join", args=[getattr(appointment, token)])
    with time_machine.travel(LAST_MOMENT, tick=False):
        before = visitor.get(link)
    with time_machine.travel(LAST_MOMENT + timedelta(seconds=1), tick=False):
        after = visitor.get(link)

    assert [before.status_code, after.status_code] == [200, 410]
    assert "Mortgage review" not in after.content.decode()

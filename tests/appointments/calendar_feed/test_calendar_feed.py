"""Private calendar addresses of staff."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from appointments.calendar_feed.addresses import create_address, end_address
from appointments.calendar_feed.file import initials_of
from appointments.calendar_feed_models import CalendarFeed
from appointments.models import Appointment, Client
from coconut.rate_limits import Limit
from services.models import MeetingMethod
from staff.audit_log.models import AuditEvent
from staff.models import StaffMember
from staff.people import save_person
from tests.appointments.calendar_model import PARSERS
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, move
from tests.cast import signed_in
from tests.factories import make_appointment

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture(autouse=True)
def no_counted_requests() -> None:
    cache.clear()


@pytest.fixture
def path(maple: Maple) -> str:
    """Path of Sam's calendar address."""
    return urlsplit(create_address(maple.sam)).path


def read(path: str, **headers: str) -> Any:
    """Read the address as a calendar does: without a session."""
    return Browser().get(path, headers=headers)


def starts(path: str) -> list[int]:
    found = [[event["start"].hour for event in parse(read(path).content.decode())] for parse in PARSERS]
    assert found[0] == found[1]
    return found[0]


def test_both_parsers_read_the_present_appointments(maple: Maple, path: str) -> None:
    booked = [maple.book(starts_at=monday(hour)) for hour in (10, 11, 12)]
    move(booked[0], 15)
    cancel(booked[1])

    assert starts(path) == [12, 15]


def test_it_has_only_the_persons_own_appointments(maple: Maple, tess: StaffMember, path: str) -> None:
    maple.book(staff=tess)

    assert starts(path) == []


def test_it_reaches_from_30_days_ago_to_the_longest_horizon(maple: Maple, path: str) -> None:
    now = timezone.now()
    for days in (-31, -29, 729, 731):
        make_appointment(maple.review, maple.sam, maple.cleo, now + timedelta(days=days))

    [first, last] = PARSERS[0](read(path).content.decode())
    assert [(event["start"] - now).days for event in (first, last)] == [-29, 729]


def test_an_entry_has_no_client_data_but_initials_and_no_private_link(maple_with_teams: Maple, path: str) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO, client_note="My divorce")

    text = read(path).content.decode().replace("\r\n ", "")
    assert "SUMMARY:Mortgage review C. B.\r\n" in text
    secrets = [booked.join_token, booked.staff_join_token, booked.manage_token]
    for secret in ["Cleo", "Brandt", "example.com", "555", "divorce", *secrets]:
        assert secret not in text


def test_both_parsers_read_long_and_special_text(maple: Maple, path: str) -> None:
    maple.organization.name = "Maple: the, Union; " * 8
    maple.organization.save()
    maple.review.name = "Mortgage, loan; \\ 🏠 review مصرف " * 4
    maple.review.save()
    maple.book()

    raw = read(path).content
    assert max(map(len, raw.split(b"\r\n"))) <= 75
    for parse in PARSERS:
        assert [event["summary"] for event in parse(raw.decode())] == [f"{maple.review.name.strip()} C. B."]


@pytest.mark.parametrize(
    ("name", "initials"), [("Cleo Ann Brandt", "C. B."), ("Zoë", "Z."), ("", ""), ("李 小龙", "李. 小."), ("- x", "x.")]
)
def test_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials


def test_it_answers_304_until_something_changes(maple: Maple, path: str) -> None:
    booked = maple.book()
    etag = read(path)["ETag"]
    assert read(path, if_none_match=etag).status_code == 304

    move(booked)
    assert read(path, if_none_match=etag).status_code == 200
    etag = read(path)["ETag"]
    Client.objects.update(name="Dora Elm")
    assert read(path, if_none_match=etag).status_code == 200


def test_no_cache_and_no_search_engine_keeps_it(path: str) -> None:
    response = read(path)

    assert (response["Cache-Control"], response["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"


def test_only_a_hash_of_the_token_is_stored(path: str) -> None:
    token = path.removeprefix("/feeds/").removesuffix(".ics")

    assert len(token) == 43
    assert token not in str(CalendarFeed.objects.values().get())


def test_a_new_address_ends_the_earlier_one(maple: Maple, path: str) -> None:
    renewed = urlsplit(create_address(maple.sam)).path

    assert (read(path).status_code, read(renewed).status_code) == (404, 200)


def test_an_ended_address_is_unknown(maple: Maple, path: str) -> None:
    end_address(maple.sam)

    assert read(path).status_code == 404


def test_it_ends_for_good_when_the_person_is_switched_off(maple: Maple, path: str) -> None:
    for is_active in (False, True):
        maple.sam.is_active = is_active
        save_person(maple.sam, ["is_active"])

    assert (read(path).status_code, CalendarFeed.objects.exists()) == (404, False)


def test_it_ends_after_the_last_working_day(maple: Maple, path: str) -> None:
    StaffMember.objects.filter(pk=maple.sam.pk).update(last_day=timezone.now().date() - timedelta(days=1))

    assert read(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "%00", "a" * 43, "é"])
def test_an_unknown_address_is_a_404(maple: Maple, token: str) -> None:
    assert read(f"/feeds/{token}.ics").status_code == 404


def test_too_many_guesses_must_wait_and_valid_readings_do_not_count(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appointments.client_view.rate_limits._GUESSES", Limit("test-feed-guesses", 2, 600))

    readings = [read(path).status_code for _time in range(4)]
    guesses = [read("/feeds/guess.ics").status_code for _time in range(3)]

    assert (readings, guesses) == ([200] * 4, [404, 404, 429])


def test_one_address_can_be_read_only_so_often(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appointments.client_view.rate_limits._READINGS_OF_FEED", Limit("test-feed", 2, 600))

    answers = [read(path) for _time in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 600


def test_the_audit_log_has_who_created_and_ended_an_address(maple: Maple) -> None:
    browser = signed_in(maple.sam)
    browser.post("/calendar/")
    browser.post("/calendar/end/")

    events = AuditEvent.objects.filter(kind__startswith="calendar_feed").order_by("pk")
    assert [(event.kind, event.actor_id, event.subject_id) for event in events] == [
        ("calendar_feed_created", maple.sam.pk, maple.sam.pk),
        ("calendar_feed_ended", maple.sam.pk, maple.sam.pk),
    ]


def test_the_page_shows_the_address_once(maple: Maple) -> None:
    maple.book()
    browser = signed_in(maple.sam)
    created = browser.post("/calendar/").content.decode()
    path = re.findall(r"/feeds/[\w-]+\.ics", created)[0]

    assert starts(path) == [10]
    later = browser.get("/calendar/").content.decode()
    assert ("/feeds/" in later, "Your address was created on" in later) == (False, True)


def test_reading_takes_two_queries_for_any_number_of_appointments(
    maple: Maple, path: str, django_assert_num_queries: Any
) -> None:
    for number in (1, 20):
        for index in range(number):
            start = monday(0) + timedelta(days=number + index, hours=10)
            make_appointment(maple.review, maple.sam, maple.cleo, start)
        with django_assert_num_queries(2):
            read(path)


def test_thousands_of_appointments_are_read_whole(maple: Maple, path: str) -> None:
    template = make_appointment(maple.review, maple.sam, maple.cleo, monday(0))
    fields = {name: getattr(template, name) for name in ("organization", "service", "staff", "client", "method")}
    hours = [timedelta(hours=number) for number in range(1, 5000)]
    Appointment.objects.bulk_create(
        Appointment(
            **fields,
            starts_at=monday(0) + later,
            ends_at=monday(0, 30) + later,
            busy_from=monday(0) + later,
            busy_to=monday(0, 30) + later,
            booked_through="schedule",
        )
        for later in hours
    )

    text = read(path).content

    assert text.count(b"BEGIN:VEVENT") == 5000

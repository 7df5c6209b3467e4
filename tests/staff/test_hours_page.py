"""The Hours page: weekly hours and time off."""

from __future__ import annotations

from datetime import UTC, datetime, time
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from staff.hours import TimeRange, replace_week, time_off_text, week_of
from staff.models import StaffMember, TimeOff
from tests.factories import make_hours, make_member, make_organization

NINE, TWELVE, ONE, FIVE = time(9), time(12), time(13), time(17)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC)):
        yield


def page_of(person: StaffMember) -> str:
    return reverse("staff-hours", args=[person.pk])


def time_off_of(person: StaffMember) -> str:
    return reverse("staff-time-off", args=[person.pk])


def errors_of(response, form: str = "week_form") -> dict[str, list[str]]:
    return dict(response.context[form].errors)


def test_several_intervals_a_day_are_saved_in_order(as_sam, sam):
    response = as_sam.post(
        page_of(sam),
        {"d0_0_start": "13:00", "d0_0_end": "17:00", "d0_1_start": "09:00", "d0_1_end": "12:00"},
        follow=True,
    )

    assert week_of(sam) == [TimeRange(0, NINE, TWELVE), TimeRange(0, ONE, FIVE)]
    assert [str(message) for message in response.context["messages"]] == ["Saved."]


def test_an_emptied_interval_is_removed(as_sam, sam):
    make_hours(sam)

    as_sam.post(page_of(sam), {"d0_0_start": "", "d0_0_end": "", "d1_0_start": "09:00", "d1_0_end": "12:00"})

    assert week_of(sam) == [TimeRange(1, NINE, TWELVE)]


def test_every_day_shows_its_intervals_and_an_empty_one(as_sam, sam):
    replace_week(sam, [TimeRange(0, NINE, TWELVE), TimeRange(0, ONE, FIVE)])

    response = as_sam.get(page_of(sam))

    assert [len(day.pairs) for day in response.context["week_form"].days] == [3, 1, 1, 1, 1, 1, 1]
    assert 'value="09:00"' in response.text


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        (
            {"d0_0_start": "09:00", "d0_0_end": "12:30", "d0_1_start": "12:00", "d0_1_end": "17:00"},
            {"d0_1_end": ["This overlaps 09:00–12:30."]},
        ),
        ({"d0_0_start": "09:00", "d0_0_end": "09:00"}, {"d0_0_end": ["The end must be after the start."]}),
        ({"d0_0_start": "09:00", "d0_0_end": ""}, {"d0_0_end": ["Enter both times, or neither."]}),
        ({"d0_0_start": "nine", "d0_0_end": "12:00"}, {"d0_0_start": ["Enter a valid time."]}),
    ],
)
def test_invalid_hours_are_refused_with_a_sentence_and_stay_in_the_form(typed, errors, as_sam, sam):
    response = as_sam.post(page_of(sam), typed)

    assert errors_of(response) == errors
    assert week_of(sam) == []
    assert f'value="{typed["d0_0_start"]}"' in response.text


def test_adjacent_intervals_are_allowed(as_sam, sam):
    as_sam.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "12:00", "d0_1_start": "12:00", "d0_1_end": "17:00"})

    assert week_of(sam) == [TimeRange(0, NINE, TWELVE), TimeRange(0, TWELVE, FIVE)]


def test_copying_monday_fills_in_the_form_without_saving(as_sam, sam):
    response = as_sam.post(
        page_of(sam),
        {
            "copy": "monday",
            "d0_0_start": "09:00",
            "d0_0_end": "12:00",
            "d5_0_start": "10:00",
            "d5_0_end": "11:00",
        },
    )

    first_pairs = [day.pairs[0] for day in response.context["week_form"].days]
    assert [start.value() for start, _end in first_pairs] == ["09:00"] * 5 + ["10:00", None]
    assert week_of(sam) == []


def test_an_admin_edits_the_hours_of_other_staff(as_ada, sam):
    as_ada.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "12:00"})

    assert week_of(sam) == [TimeRange(0, NINE, TWELVE)]


def test_staff_and_schedulers_cannot_edit_the_hours_of_others(as_sam, as_sky, as_ada, ada, sam, otto):
    answers = [
        as_sam.post(page_of(ada), {}).status_code,
        as_sky.post(page_of(sam), {}).status_code,
        as_ada.post(page_of(otto), {}).status_code,
    ]

    assert answers == [404, 403, 404]


def test_a_day_off_is_a_whole_day_in_the_staff_members_time_zone(as_sam, sam):
    StaffMember.objects.filter(pk=sam.pk).update(time_zone=BERLIN)

    as_sam.post(time_off_of(sam), {"first_day": "2026-12-01", "reason": "Dentist"})

    off = sam.time_off.get()
    assert off.starts_at == datetime(2026, 12, 1, tzinfo=BERLIN)
    assert off.ends_at == datetime(2026, 12, 2, tzinfo=BERLIN)
    assert off.reason == "Dentist"


def test_time_off_may_start_and_end_at_a_time(as_sam, sam):
    as_sam.post(
        time_off_of(sam),
        {"first_day": "2026-12-01", "first_time": "13:00", "last_day": "2026-12-03", "last_time": "09:00"},
    )

    off = sam.time_off.get()
    assert (off.starts_at, off.ends_at) == (
        datetime(2026, 12, 1, 13, tzinfo=UTC),
        datetime(2026, 12, 3, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({}, {"first_day": ["This field is required."]}),
        (
            {"first_day": "2026-12-02", "last_day": "2026-12-01"},
            {"last_day": ["The end must be after the start."]},
        ),
        ({"first_day": "2026-11-24"}, {"last_day": ["This is over already. Check the dates."]}),
        ({"first_day": "0001-01-01"}, {"first_day": ["Check the year."]}),
        ({"first_day": "2026-12-01", "last_day": "9999-12-31"}, {"last_day": ["Check the year."]}),
        (
            {"first_day": "2026-12-01", "reason": "Dentist\nBcc: all@maple.example"},
            {"reason": ["Write this on one line, without tabs and other control characters."]},
        ),
    ],
)
def test_invalid_time_off_is_refused_with_a_sentence(typed, errors, as_sam, sam):
    response = as_sam.post(time_off_of(sam), typed)

    assert errors_of(response, "time_off_form") == errors
    assert list(sam.time_off.all()) == []


def test_overlapping_time_off_is_refused_and_stays_in_the_form(as_sam, sam):
    as_sam.post(time_off_of(sam), {"first_day": "2026-12-01", "last_day": "2026-12-03"})

    response = as_sam.post(time_off_of(sam), {"first_day": "2026-12-03", "reason": "Again"})

    assert errors_of(response, "time_off_form") == {"__all__": ["This overlaps other time off."]}
    assert 'value="Again"' in response.text


def test_removing_time_off_twice_is_harmless(as_sam, sam):
    as_sam.post(time_off_of(sam), {"first_day": "2026-12-01"})
    address = reverse("staff-time-off-remove", args=[sam.pk, sam.time_off.get().pk])

    answers = [as_sam.post(address).status_code, as_sam.post(address).status_code]

    assert answers == [302, 302]
    assert list(sam.time_off.all()) == []


def test_time_off_of_another_staff_member_cannot_be_removed_from_ones_own_page(as_sam, sam, ada):
    off = TimeOff.objects.create(
        staff=ada, starts_at=datetime(2026, 12, 1, tzinfo=UTC), ends_at=datetime(2026, 12, 2, tzinfo=UTC)
    )

    as_sam.post(reverse("staff-time-off-remove", args=[sam.pk, off.pk]))

    assert TimeOff.objects.filter(pk=off.pk).exists()


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (datetime(2026, 12, 1, tzinfo=BERLIN), datetime(2026, 12, 2, tzinfo=BERLIN), "Tue 1 Dec 2026"),
        (
            datetime(2026, 12, 1, tzinfo=BERLIN),
            datetime(2026, 12, 4, tzinfo=BERLIN),
            "Tue 1 Dec 2026 – Thu 3 Dec 2026",
        ),
        (
            datetime(2026, 12, 1, 9, tzinfo=BERLIN),
            datetime(2026, 12, 1, 12, tzinfo=BERLIN),
            "Tue 1 Dec 2026, 09:00 – 12:00",
        ),
        (
            datetime(2026, 12, 1, 9, tzinfo=BERLIN),
            datetime(2026, 12, 3, 12, tzinfo=BERLIN),
            "Tue 1 Dec 2026, 09:00 – Thu 3 Dec 2026, 12:00",
        ),
    ],
)
def test_time_off_is_shown_as_a_readable_range(start, end, words):
    off = TimeOff(starts_at=start, ends_at=end)

    assert time_off_text(off, BERLIN) == words


@pytest.mark.django_db(transaction=True)
def test_saving_hours_waits_for_a_booking_that_locks_the_staff_member():
    sam = make_member(make_organization(), "Sam Okafor")
    client = Client()
    client.force_login(sam)

    def edit() -> None:
        client.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "12:00"})
        connection.close()

    editing = Thread(target=edit)
    with transaction.atomic():
        StaffMember.objects.lock(sam.pk)
        editing.start()
        editing.join(0.5)
        seen_by_the_booking = week_of(sam)
    editing.join(10)

    assert seen_by_the_booking == []
    assert week_of(sam) == [TimeRange(0, NINE, TWELVE)]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_a_constant_number_of_queries(rows, as_sam, sam, django_assert_num_queries):
    for day in range(1, rows + 1):
        TimeOff.objects.create(
            staff=sam,
            starts_at=datetime(2026, 12, day, tzinfo=UTC),
            ends_at=datetime(2026, 12, day, 12, tzinfo=UTC),
        )

    # Session, signed-in user, staff member, weekly hours, time off.
    with django_assert_num_queries(6):
        as_sam.get(page_of(sam))

"""The Hours page: weekly hours and time off."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from staff.closings.future_weeks import future_weeks, save_future_week
from staff.hours import TimeRange, replace_week, time_off_text, week_of
from staff.models import DateOverride, StaffMember, TimeOff
from tests.factories import make_hours, make_location, make_member, make_organization

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
        (
            {"d0_0_start": "09:00", "d0_0_end": "05:00"},
            {"d0_0_end": ["09:00 to 05:00 would end on the next day. Check the times."]},
        ),
        (
            {"d0_0_start": "22:00", "d0_0_end": "02:00", "d1_0_start": "01:00", "d1_0_end": "09:00"},
            {"d1_0_end": ["This overlaps Monday 22:00–02:00."]},
        ),
        (
            {"d0_0_start": "01:00", "d0_0_end": "09:00", "d6_0_start": "22:00", "d6_0_end": "02:00"},
            {"d0_0_end": ["This overlaps Sunday 22:00–02:00."]},
        ),
        ({"d0_0_start": "09:00", "d0_0_end": ""}, {"d0_0_end": ["Enter both times, or neither."]}),
        ({"d0_0_start": "nine", "d0_0_end": "12:00"}, {"d0_0_start": ["Enter a valid time."]}),
    ],
)
def test_invalid_hours_are_refused_with_a_sentence_and_stay_in_the_form(typed, errors, as_sam, sam):
    response = as_sam.post(page_of(sam), typed)

    assert errors_of(response) == errors
    assert week_of(sam) == []
    assert f'value="{typed["d0_0_start"]}"' in response.text


@pytest.mark.parametrize("end", ["00:00", "02:00"])
def test_hours_may_end_at_midnight_or_on_the_next_day(end, as_sam, sam):
    as_sam.post(page_of(sam), {"d0_0_start": "22:00", "d0_0_end": end})

    assert week_of(sam) == [TimeRange(0, time(22), time.fromisoformat(end))]


def test_hours_at_another_location_are_saved_with_it(as_sam, sam):
    make_location(sam.organization)
    west = make_location(sam.organization, "West End")

    as_sam.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "17:00", "d0_0_place": str(west.pk)})

    assert week_of(sam) == [TimeRange(0, NINE, FIVE, west.pk)]


def test_a_location_of_another_organisation_is_refused(as_sam, sam):
    make_location(sam.organization)
    make_location(sam.organization, "West End")
    foreign = make_location(make_organization("Cedar Bank", slug="cedar-two"))

    as_sam.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "17:00", "d0_0_place": str(foreign.pk)})

    assert week_of(sam) == []


# --- Hours from a later day on -----------------------------------------------------------------------------
LATER = date(2027, 1, 4)


def test_hours_with_a_start_leave_those_in_force_until_then(as_sam, sam):
    make_hours(sam)

    as_sam.post(page_of(sam), {"d0_0_start": "12:00", "d0_0_end": "17:00", "starts_on": "2027-01-04"})

    assert len(week_of(sam)) == 5
    assert week_of(sam, LATER) == [TimeRange(0, TWELVE, FIVE)]


def test_saving_the_present_hours_keeps_the_future_ones(as_sam, sam):
    save_future_week(sam, LATER, [TimeRange(0, TWELVE, FIVE)])

    as_sam.post(page_of(sam), {"d1_0_start": "09:00", "d1_0_end": "12:00"})

    assert week_of(sam) == [TimeRange(1, NINE, TWELVE)]
    assert future_weeks(sam) == [(LATER, [TimeRange(0, TWELVE, FIVE)])]


def test_future_hours_are_those_to_edit_from_their_first_day_on(sam):
    make_hours(sam)
    save_future_week(sam, LATER, [TimeRange(0, TWELVE, FIVE)])

    with time_machine.travel(datetime(2027, 1, 4, 12, tzinfo=UTC)):
        in_force = week_of(sam)
        replace_week(sam, [TimeRange(2, NINE, TWELVE)])

        assert in_force == [TimeRange(0, TWELVE, FIVE)]
        assert week_of(sam) == [TimeRange(2, NINE, TWELVE)]
        assert future_weeks(sam) == []


def test_the_page_shows_the_chosen_future_hours(as_sam, sam):
    save_future_week(sam, LATER, [TimeRange(0, TWELVE, FIVE)])

    page = as_sam.get(page_of(sam), {"from": "2027-01-04"})

    assert "Other hours from Mon 4 Jan 2027 on" in page.text
    assert page.context["start_form"]["starts_on"].value() == "2027-01-04"
    assert page.context["week_form"]["d0_0_start"].value() == TWELVE


def test_future_hours_can_be_removed(as_sam, sam):
    make_hours(sam)
    save_future_week(sam, LATER, [TimeRange(0, TWELVE, FIVE)])

    as_sam.post(reverse("staff-future-hours-remove", args=[sam.pk, "2027-01-04"]))

    assert future_weeks(sam) == []
    assert len(week_of(sam)) == 5


@pytest.mark.parametrize(
    ("starts_on", "hours", "form", "error"),
    [
        (
            "2026-11-25",
            {"d0_0_start": "09:00", "d0_0_end": "12:00"},
            "start_form",
            "Choose a later day, or leave this empty to change the hours at once.",
        ),
        ("2062-01-04", {"d0_0_start": "09:00", "d0_0_end": "12:00"}, "start_form", "Check the year."),
        (
            "2027-01-04",
            {},
            "week_form",
            "Enter hours for at least one day. If Sam Okafor stops working, add time off instead.",
        ),
    ],
)
def test_future_hours_that_cannot_be_right_are_refused(starts_on, hours, form, error, as_sam, sam):
    response = as_sam.post(page_of(sam), {"starts_on": starts_on, **hours})

    assert [error] in errors_of(response, form).values()
    assert not sam.working_hours.exists()


# --- Exceptions --------------------------------------------------------------------------------------------
def exceptions_of(person: StaffMember) -> str:
    return reverse("staff-exceptions", args=[person.pk])


def test_one_off_hours_are_saved_in_order(as_sam, sam):
    as_sam.post(
        exceptions_of(sam),
        {
            "first_day": "2026-12-05",
            "kind": "hours",
            "start_1": "13:00",
            "end_1": "15:00",
            "start_2": "09:00",
            "end_2": "12:00",
            "label": "Open house",
        },
    )

    override = sam.overrides.get()
    assert (override.first_day, override.last_day) == (date(2026, 12, 5), date(2026, 12, 5))
    assert [(row.start, row.end) for row in override.hours.all()] == [(NINE, TWELVE), (ONE, time(15))]


def test_a_day_off_is_an_exception_without_hours(as_sam, sam):
    as_sam.post(exceptions_of(sam), {"first_day": "2026-12-05", "last_day": "2026-12-06", "kind": "closed"})

    assert not sam.overrides.get().hours.exists()


def test_an_exception_can_be_changed_and_removed(as_sam, sam):
    override = DateOverride.objects.create(
        staff=sam, first_day=date(2026, 12, 5), last_day=date(2026, 12, 5), all_methods=True
    )

    as_sam.post(
        reverse("staff-exception-edit", args=[sam.pk, override.pk]),
        {"first_day": "2026-12-07", "kind": "hours", "start_1": "09:00", "end_1": "12:00"},
    )
    changed = [(row.first_day, row.hours.count()) for row in sam.overrides.all()]
    as_sam.post(reverse("staff-exception-remove", args=[sam.pk, override.pk]))

    assert changed == [(date(2026, 12, 7), 1)]
    assert not sam.overrides.exists()


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        (
            {"first_day": "2026-12-05", "last_day": "2026-12-04", "kind": "closed"},
            {"last_day": ["The last day is before the first day."]},
        ),
        ({"first_day": "2026-11-20", "kind": "closed"}, {"last_day": ["This is over already. Check the dates."]}),
        ({"first_day": "2026-12-05", "kind": "hours"}, {"kind": ["Enter the hours, or choose “Not working”."]}),
        (
            {"first_day": "2026-12-05", "kind": "hours", "start_1": "09:00"},
            {"end_1": ["Enter both times, or neither."]},
        ),
        (
            {"first_day": "2027-03-28", "kind": "hours", "start_1": "02:30", "end_1": "05:00"},
            {"end_1": ["Clocks change on 28 March 2027 and skip 02:30. Choose another time."]},
        ),
        (
            {
                "first_day": "2026-12-05",
                "kind": "hours",
                "start_1": "09:00",
                "end_1": "12:00",
                "start_2": "11:00",
                "end_2": "13:00",
            },
            {"end_2": ["This overlaps 09:00–12:00."]},
        ),
        (
            {"first_day": "2026-12-23", "kind": "closed"},
            {
                "__all__": [
                    "Sam Okafor already has an exception on Wed 23 Dec 2026. Change that one, or choose other days."
                ]
            },
        ),
    ],
)
def test_an_exception_that_cannot_be_right_is_refused_and_stays_in_the_form(typed, errors, as_sam, sam):
    StaffMember.objects.filter(pk=sam.pk).update(time_zone=BERLIN)
    DateOverride.objects.create(staff=sam, first_day=date(2026, 12, 23), last_day=date(2026, 12, 23), all_methods=True)

    response = as_sam.post(exceptions_of(sam), typed)

    assert errors_of(response, "exception_form") == errors
    assert sam.overrides.count() == 1
    assert f'value="{typed["first_day"]}"' in response.text


def test_adjacent_intervals_are_allowed(as_sam, sam):
    as_sam.post(page_of(sam), {"d0_0_start": "09:00", "d0_0_end": "12:00", "d0_1_start": "12:00", "d0_1_end": "17:00"})

    assert week_of(sam) == [TimeRange(0, NINE, TWELVE), TimeRange(0, TWELVE, FIVE)]


def test_copying_a_day_to_chosen_days_fills_in_the_form_without_saving(as_sam, sam):
    response = as_sam.post(
        page_of(sam),
        {
            "copy": "1",
            "copy_from": "0",
            "copy_to": ["1", "2", "4"],
            "d0_0_start": "09:00",
            "d0_0_end": "12:00",
            "d5_0_start": "10:00",
            "d5_0_end": "11:00",
        },
    )

    first_pairs = [day.pairs[0] for day in response.context["week_form"].days]
    assert [start.value() for start, _end in first_pairs] == ["09:00", "09:00", "09:00", None, "09:00", "10:00", None]
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

        DateOverride.objects.create(
            staff=sam, first_day=date(2026, 12, day), last_day=date(2026, 12, day), all_methods=True
        )

    # Session, signed-in user, staff member, weekly hours, future ones, locations, exceptions with hours, time off.
    with django_assert_num_queries(10):
        as_sam.get(page_of(sam))


def test_the_time_zone_is_named_by_its_city(as_sam, sam):
    StaffMember.objects.filter(pk=sam.pk).update(time_zone=ZoneInfo("America/St_Johns"))

    page = as_sam.get(page_of(sam)).text

    assert "in St Johns time" in page
    assert "America/" not in page


def test_a_closed_location_is_offered_only_to_hours_that_are_there_already(as_sam, sam):
    main = make_location(sam.organization)
    closed = make_location(sam.organization, "Old Town", active=False)
    before = as_sam.get(page_of(sam)).text
    replace_week(sam, [TimeRange(0, NINE, FIVE, closed.pk)])
    sam.overrides.create(first_day=date(2026, 12, 4), last_day=date(2026, 12, 4), branch=closed, all_methods=True)

    page = as_sam.get(page_of(sam))
    week, exception = page.context["week_form"], page.context["exception_form"]
    edited = as_sam.get(reverse("staff-exception-edit", args=[sam.pk, sam.overrides.get().pk])).context["form"]

    assert "Old Town" not in before
    assert [label for _value, label in week["d0_0_place"].field.choices] == [
        "Any location",
        main.name,
        "Old Town (inactive)",
    ]
    assert "branch" not in exception.fields
    assert [label for _value, label in edited["branch"].field.choices] == [
        "Any location",
        main.name,
        "Old Town (inactive)",
    ]

"""The free times of the public page: who may ask for what, and the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from integrations.models import UserMatch
from services.models import MeetingMethod, OfferedTo, ServiceAssignment
from staff.models import StaffMember
from staff.rate_limits import Limit
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_hours, make_member, make_organization, make_staff

pytestmark = pytest.mark.usefixtures("friday")


def ask(maple: Maple, slug: str = "maple", **changes: Any) -> tuple[int, Any]:
    """Status and answer for Monday's times of a review at the location, unless told otherwise."""
    wish = {"service": maple.review.pk, "method": 1, "from": "2026-11-30", "days": 1, **changes}
    answer = Browser().get(f"/book/{slug}/slots/", {name: text for name, text in wish.items() if text != ""})
    return answer.status_code, answer.json()


def clock(answer: tuple[int, Any]) -> list[str]:
    return [f"{datetime.fromtimestamp(slot, UTC):%d %H:%M}" for slot in answer[1]["slots"]]


def test_a_day_of_one_person(maple: Maple):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    free = clock(ask(maple, staff=maple.sam.pk))

    assert (free[:5], free[-1], len(free)) == (
        ["30 09:00", "30 09:15", "30 09:30", "30 10:30", "30 10:45"],
        "30 16:30",
        28,
    )


def test_anyone_is_free_when_somebody_is_each_time_told_once(maple: Maple):
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    assert len(clock(ask(maple))) == 31
    assert len(clock(ask(maple, staff=maple.sam.pk))) == 28


def test_a_month_is_asked_for_unless_told_otherwise_from_today_on(maple: Maple):
    days = {slot[:2] for slot in clock(ask(maple, days="", **{"from": ""}))}

    # From Friday the 27th noon to the 27th of December, without weekends.
    assert len(days) == 21
    assert clock(ask(maple, days="", **{"from": ""}))[0] == "27 12:00"


def test_days_are_those_of_the_zone_that_is_asked_for(maple: Maple):
    # Monday in Auckland is Sunday 11:00 to Monday 11:00 in UTC.
    free = clock(ask(maple, zone="Pacific/Auckland"))

    assert (free[0], free[-1]) == ("30 09:00", "30 10:45")


def test_minimum_notice_and_horizon_hold(maple: Maple):
    maple.review.minimum_notice = 60 * (24 * 3 - 1)
    maple.review.save()
    assert clock(ask(maple))[0] == "30 11:00"

    maple.review.minimum_notice, maple.review.booking_horizon_days = 0, 2
    maple.review.save()
    assert clock(ask(maple)) == []


def test_no_cookie_is_set_and_nothing_is_kept(maple: Maple):
    answer = Browser().get("/book/maple/slots/", {"service": maple.review.pk, "method": 1})

    assert (answer.status_code, dict(answer.cookies), answer["Cache-Control"]) == (200, {}, "no-store")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"service": ""}, "“service” must be a number."),
        ({"service": "1; DROP"}, "“service” must be a number."),
        ({"service": "²"}, "“service” must be a number."),
        ({"service": "9" * 400}, "“service” must be a number."),
        ({"method": "video"}, "“method” must be a number."),
        ({"staff": "-1"}, "“staff” must be a number."),
        ({"from": "2026-02-30"}, "Enter a date such as 2026-12-31."),
        ({"from": "9999-12-31"}, "Enter a date such as 2026-12-31."),
        ({"days": "0"}, "Ask for 1 to 62 days at once."),
        ({"days": "63"}, "Ask for 1 to 62 days at once."),
        ({"zone": "Mars/Olympus"}, "There is no time zone of this name."),
        ({"zone": "America"}, "There is no time zone of this name."),
        ({"zone": "../../etc/passwd"}, "There is no time zone of this name."),
        ({"zone": "a\0b"}, "There is no time zone of this name."),
        ({"zone": "x" * 5000}, "There is no time zone of this name."),
    ],
)
def test_an_address_that_makes_no_sense_is_answered_with_a_sentence(
    changes: dict[str, str], sentence: str, maple: Maple
):
    assert ask(maple, **changes) == (400, {"error": sentence})


NOT_OFFERED = (404, {"error": "This cannot be booked here. Choose another service or meeting method."})
NOBODY = (404, {"error": "No staff member of this number takes this appointment. Choose someone else."})


def test_what_is_not_there_is_not_found(maple: Maple):
    cedar = make_organization("Cedar Bank")

    assert ask(maple, slug="nobody") == NOT_OFFERED
    assert ask(maple, slug=cedar.slug) == NOT_OFFERED
    assert ask(maple, service=10**17) == NOT_OFFERED
    assert ask(maple, method=9) == NOT_OFFERED
    assert ask(maple, staff=10**17) == NOBODY


@pytest.mark.parametrize("change", [{"active": False}, {"public": False}])
def test_a_service_that_clients_cannot_book_is_not_found(change: dict[str, bool], maple: Maple):
    type(maple.review).objects.update(**change)

    assert ask(maple) == NOT_OFFERED


def test_a_method_offered_to_staff_only_is_not_found(maple: Maple):
    maple.review.meeting_methods.filter(method=MeetingMethod.AT_LOCATION).update(offered_to=OfferedTo.STAFF)

    assert ask(maple) == NOT_OFFERED


def test_a_staff_member_who_left_or_does_not_provide_it_is_not_found(maple: Maple):
    make_hours(maple.sky)
    assert ask(maple, staff=maple.sky.pk) == NOBODY

    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    assert ask(maple, staff=maple.sam.pk) == NOBODY
    assert clock(ask(maple)) == []


def test_a_video_call_is_offered_with_those_who_can_host_one(maple_with_teams: Maple):
    maple = maple_with_teams
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)

    assert ask(maple, method=3, staff=kim.pk) == NOBODY
    assert len(clock(ask(maple, method=3, staff=maple.sam.pk))) == 31

    UserMatch.objects.update(enabled=False)
    assert clock(ask(maple, method=3)) == []


@pytest.mark.parametrize("how_many", [1, 3])
@pytest.mark.parametrize(("method", "queries"), [(1, 5), (3, 7)])
def test_any_number_of_people_takes_the_same_queries(
    how_many: int, method: int, queries: int, maple_with_teams: Maple, django_assert_num_queries: Any
):
    maple = maple_with_teams
    for member in make_staff(maple.organization, how_many - 1):
        make_hours(member)
        ServiceAssignment.objects.create(service=maple.review, staff=member)
        make_appointment(maple.review, member, maple.cleo, monday(10))

    # The service, the people, (their connections and matches,) working hours, time off and appointments.
    with django_assert_num_queries(queries):
        assert len(clock(ask(maple, method=method))) == 31


def test_a_visitor_who_sends_too_many_requests_waits(maple: Maple, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("appointments.client_view.rate_limits._VIEWS", Limit("test-slots", 0, 600))

    assert ask(maple)[0] == 429

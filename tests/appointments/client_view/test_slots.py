"""Free slots of the Client View: the query, its limits and the response."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from coconut.rate_limits import Limit
from integrations.models import UserMatch
from services.models import MeetingMethod, OfferedTo, ServiceAssignment
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_hours, make_member, make_organization, make_staff

pytestmark = pytest.mark.usefixtures("friday")


def query_slots(maple: Maple, slug: str = "maple", **changes: Any) -> tuple[int, Any]:
    """Return status and JSON for Monday's slots of a review at the location, with `changes`."""
    query = {"service": maple.review.pk, "method": 1, "from": "2026-11-30", "days": 1, **changes}
    answer = Browser().get(f"/book/{slug}/slots/", {name: text for name, text in query.items() if text != ""})
    return answer.status_code, answer.json()


def clock(answer: tuple[int, Any]) -> list[str]:
    return [f"{datetime.fromtimestamp(slot, UTC):%d %H:%M}" for slot in answer[1]["slots"]]


def test_slots_of_a_day_with_one_person(maple: Maple):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    free = clock(query_slots(maple, staff=maple.sam.pk))

    assert (free[:5], free[-1], len(free)) == (
        ["30 09:00", "30 09:15", "30 09:30", "30 10:30", "30 10:45"],
        "30 16:30",
        28,
    )


def test_slots_of_any_staff_contain_each_time_once(maple: Maple):
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    assert len(clock(query_slots(maple))) == 31
    assert len(clock(query_slots(maple, staff=maple.sam.pk))) == 28


def test_the_default_query_covers_a_month_from_today(maple: Maple):
    days = {slot[:2] for slot in clock(query_slots(maple, days="", **{"from": ""}))}

    # From Friday the 27th noon to the 27th of December, without weekends.
    assert len(days) == 21
    assert clock(query_slots(maple, days="", **{"from": ""}))[0] == "27 12:00"


def test_days_are_days_of_the_requested_zone(maple: Maple):
    # Monday in Auckland is Sunday 11:00 to Monday 11:00 in UTC.
    free = clock(query_slots(maple, zone="Pacific/Auckland"))

    assert (free[0], free[-1]) == ("30 09:00", "30 10:45")


def test_minimum_notice_and_horizon_limit_the_slots(maple: Maple):
    maple.review.minimum_notice = 60 * (24 * 3 - 1)
    maple.review.save()
    assert clock(query_slots(maple))[0] == "30 11:00"

    maple.review.minimum_notice, maple.review.booking_horizon_days = 0, 2
    maple.review.save()
    assert clock(query_slots(maple)) == []


def test_no_cookie_is_set_and_the_response_is_not_cached(maple: Maple):
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
def test_an_invalid_query_is_answered_with_a_sentence(changes: dict[str, str], sentence: str, maple: Maple):
    assert query_slots(maple, **changes) == (400, {"error": sentence})


NOT_OFFERED = (404, {"error": "This cannot be booked here. Choose another service or meeting method."})
NO_SUCH_STAFF = (
    404,
    {"error": "No staff member of this number takes this appointment. Choose someone else."},
)


def test_unknown_ids_are_not_found(maple: Maple):
    cedar = make_organization("Cedar Bank")

    assert query_slots(maple, slug="nobody") == NOT_OFFERED
    assert query_slots(maple, slug=cedar.slug) == NOT_OFFERED
    assert query_slots(maple, service=10**17) == NOT_OFFERED
    assert query_slots(maple, method=9) == NOT_OFFERED
    assert query_slots(maple, staff=10**17) == NO_SUCH_STAFF


@pytest.mark.parametrize("change", [{"active": False}, {"public": False}])
def test_a_service_that_clients_cannot_book_is_not_found(change: dict[str, bool], maple: Maple):
    type(maple.review).objects.update(**change)

    assert query_slots(maple) == NOT_OFFERED


def test_a_method_offered_to_staff_only_is_not_found(maple: Maple):
    maple.review.meeting_methods.filter(method=MeetingMethod.AT_LOCATION).update(offered_to=OfferedTo.STAFF)

    assert query_slots(maple) == NOT_OFFERED


def test_a_staff_member_who_left_or_does_not_provide_it_is_not_found(maple: Maple):
    make_hours(maple.sky)
    assert query_slots(maple, staff=maple.sky.pk) == NO_SUCH_STAFF

    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    assert query_slots(maple, staff=maple.sam.pk) == NO_SUCH_STAFF
    assert clock(query_slots(maple)) == []


def test_video_slots_are_limited_to_staff_who_can_host(maple_with_teams: Maple):
    maple = maple_with_teams
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)

    assert query_slots(maple, method=3, staff=kim.pk) == NO_SUCH_STAFF
    assert len(clock(query_slots(maple, method=3, staff=maple.sam.pk))) == 31

    UserMatch.objects.update(enabled=False)
    assert clock(query_slots(maple, method=3)) == []


@pytest.mark.parametrize("how_many", [1, 3])
@pytest.mark.parametrize(("method", "queries"), [(1, 3), (3, 5)])
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
        assert len(clock(query_slots(maple, method=method))) == 31


def test_a_visitor_who_sends_too_many_requests_waits(maple: Maple, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("appointments.client_view.rate_limits._VIEWS", Limit("test-slots", 0, 600))

    assert query_slots(maple)[0] == 429

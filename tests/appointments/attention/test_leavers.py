"""People with a last working day: no bookings after it, no access, and what their clients see."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from appointments.availability.next_free import next_free
from appointments.booking_rules.errors import BookingError
from appointments.models import Appointment, Notification
from appointments.notifications.messages import message_for
from services.models import MeetingMethod
from staff.audit_log.models import AuditEvent
from staff.leavers import switch_off_leavers
from staff.models import Role, StaffMember
from tests.appointments.attention.test_saving import person_fields
from tests.appointments.conftest import MONDAY, NOW, Maple, monday
from tests.cast import signed_in
from tests.factories import make_location

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

TUESDAY = timedelta(days=1)


@pytest.fixture
def leaving(maple: Maple) -> Maple:
    """Maple, whose Sam has Monday as last working day."""
    maple.sam.last_day = MONDAY.date()
    maple.sam.save()
    return maple


def stored_sam() -> StaffMember:
    return StaffMember.objects.get(first_name="Sam")


def test_times_end_with_the_last_day(leaving: Maple) -> None:
    found = next_free(leaving.review, leaving.sam, NOW, 100)

    assert max(start.date() for start in found) == MONDAY.date()


@pytest.mark.parametrize("outside_hours", [False, True])
def test_a_booking_after_the_last_day_is_refused(leaving: Maple, outside_hours: bool) -> None:
    with pytest.raises(BookingError, match="Sam Okafor"):
        leaving.book(starts_at=monday(10) + TUESDAY, outside_hours=outside_hours)

    assert leaving.book().staff == leaving.sam


def test_access_ends_after_the_last_day_in_the_persons_zone(leaving: Maple) -> None:
    leaving.sam.time_zone = "America/Los_Angeles"
    leaving.sam.save()
    browser = signed_in(leaving.sam)

    with time_machine.travel(MONDAY + TUESDAY + timedelta(hours=7), tick=False):
        assert switch_off_leavers() == 0
    with time_machine.travel(MONDAY + TUESDAY + timedelta(hours=8), tick=False):
        assert switch_off_leavers() == 1
        assert browser.get(reverse("schedule")).status_code == 302

    assert not stored_sam().is_active
    assert AuditEvent.objects.filter(kind="switched_off", subject_id=leaving.sam.pk).count() == 1


def test_the_last_admin_cannot_have_a_last_day(maple: Maple, as_ada: Browser, ada: StaffMember) -> None:
    fields = person_fields(first_name="Ada", last_name="Quist", email=ada.email, username="ada", role="admin")

    response = as_ada.post(reverse("staff-edit", args=[ada.pk]), {**fields, "last_day": "2026-12-01"})

    assert "This is the last active admin of your organisation." in response.text
    assert StaffMember.objects.get(pk=ada.pk).last_day is None


def test_the_only_admin_who_stays_cannot_be_switched_off(maple: Maple, as_ada: Browser, ada: StaffMember) -> None:
    StaffMember.objects.filter(pk=maple.sam.pk).update(role=Role.ADMIN, last_day=date(2026, 12, 1))
    fields = person_fields(first_name="Ada", last_name="Quist", email=ada.email, username="ada", role="admin")

    response = as_ada.post(reverse("staff-edit", args=[ada.pk]), {**fields, "is_active": ""})

    assert "This is the last active admin of your organisation." in response.text
    assert StaffMember.objects.get(pk=ada.pk).is_active


def test_an_admin_who_left_is_switched_off_only_if_another_stays(maple: Maple, ada: StaffMember) -> None:
    over = date(2026, 11, 20)
    StaffMember.objects.filter(pk=maple.sam.pk).update(role=Role.ADMIN, last_day=over)
    assert switch_off_leavers() == 1

    # A state that no page allows: the last admin's day is over.
    StaffMember.objects.filter(pk=ada.pk).update(last_day=over)

    switch_off_leavers()
    assert StaffMember.objects.admins_of(maple.organization).exists()


def test_a_last_day_in_the_past_is_refused(maple: Maple, as_ada: Browser) -> None:
    url = reverse("staff-edit", args=[maple.sam.pk])

    response = as_ada.post(url, person_fields(last_day="2026-11-20"))

    assert "This day is over. Choose a later one, or leave it empty." in response.text
    assert stored_sam().last_day is None


def test_a_person_without_a_last_day_is_saved_as_before(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(reverse("staff-edit", args=[maple.sam.pk]), person_fields(last_day=""))

    assert (stored_sam().last_day, stored_sam().is_active) == (None, True)


def switch_off(person: StaffMember) -> None:
    StaffMember.objects.filter(pk=person.pk).update(is_active=False)


def move_page(appointment: Appointment) -> str:
    return reverse("manage-move", args=[appointment.manage_token])


def test_a_client_of_a_person_who_left_moves_to_a_colleague(maple: Maple, tess: StaffMember, client: Browser) -> None:
    booked = maple.book()
    switch_off(maple.sam)
    page = client.get(reverse("manage-appointment", args=[booked.manage_token])).text
    assert "Choose a time with a colleague" in page

    # The same time, with the colleague.
    client.post(move_page(booked), {"starts_at": monday(10).isoformat()})

    booked.refresh_from_db()
    assert (booked.staff, booked.starts_at) == (tess, monday(10))


def test_in_person_only_colleagues_of_the_branch_are_offered(maple: Maple, tess: StaffMember, client: Browser) -> None:
    here, there = make_location(maple.organization), make_location(maple.organization, "Harbour")
    booked = maple.book(location=here)
    tess.location = there
    tess.save()
    switch_off(maple.sam)

    assert client.get(move_page(booked)).context["days"] == []
    client.post(move_page(booked), {"starts_at": monday(11).isoformat()})

    booked.refresh_from_db()
    assert booked.staff == maple.sam


def test_an_appointment_after_the_last_day_can_move_before_it_with_the_same_person(
    maple: Maple, client: Browser
) -> None:
    booked = maple.book(starts_at=monday(10) + TUESDAY)
    StaffMember.objects.filter(pk=maple.sam.pk).update(last_day=MONDAY.date())

    client.post(move_page(booked), {"starts_at": monday(11).isoformat()})

    booked.refresh_from_db()
    assert (booked.staff, booked.starts_at) == (maple.sam, monday(11))


def test_without_colleagues_the_page_says_how_to_reach_the_organisation(maple: Maple, client: Browser) -> None:
    booked = maple.book()
    switch_off(maple.sam)
    maple.organization.phone = "+1 555 0199"
    maple.organization.save()

    page = " ".join(client.get(reverse("manage-appointment", args=[booked.manage_token])).text.split())

    assert "Please call Maple Credit Union:" in page
    assert "Choose a time with a colleague" not in page


def test_an_email_to_a_client_names_no_person_who_left(maple: Maple) -> None:
    booked = maple.book(method=MeetingMethod.PHONE)
    switch_off(maple.sam)

    message = message_for(Notification.objects.get(appointment=booked, audience="client"))

    assert message is not None
    parts = [message.body, *(str(alternative[0]) for alternative in message.alternatives)]
    assert [part for part in parts if "Okafor" in part] == []

"""Changing booked appointments after their service was switched to Video Call."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Client, Notification, Status
from appointments.timeline import event_text
from integrations.models import DirectoryState, Meeting, UserMatch
from services.models import MeetingMethod, MeetingMethodOffer
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_member, make_organization, make_service
from tests.integrations.pages import messages_of, page_text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday", "maple_with_teams")]


def more(maple: Maple) -> str:
    return reverse("service-more", args=[maple.review.pk])


def page(maple: Maple) -> str:
    return reverse("service-to-video", args=[maple.review.pk])


def in_person(maple: Maple, hour: int = 10, **fields: Any) -> Appointment:
    return make_appointment(maple.review, maple.sam, maple.cleo, monday(hour), **fields)


def offer_only(maple: Maple, *methods: MeetingMethod) -> None:
    MeetingMethodOffer.objects.exclude(method__in=methods).delete()


def post(browser: Browser, maple: Maple, *ticked: Appointment, **form: Any) -> Any:
    return browser.post(page(maple), {"appointment": [each.pk for each in ticked], **form})


# --- The offer ------------------------------------------------------------------------------------------


def test_switching_a_service_offers_the_change_afterwards(maple: Maple, as_ada: Browser) -> None:
    for hour in (10, 11):
        in_person(maple, hour)

    form = {"method_3": "on", "offered_to_3": "staff", "affected": "leave"}
    response = as_ada.post(more(maple), form, follow=True)

    assert "Saved." in page_text(response)
    assert "2 booked appointments of this service take place in a way that is no longer offered." in page_text(response)
    assert f'<a href="{page(maple)}">Change them to video calls</a>' in response.content.decode()
    assert not Meeting.objects.exists()


def test_the_change_is_offered_even_if_the_old_method_is_still_offered(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)

    assert "1 booked appointment of this service isn’t a video call. Change them to video calls" in page_text(
        as_ada.get(more(maple))
    )


def test_a_service_without_video_calls_offers_no_change(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)
    offer_only(maple, MeetingMethod.AT_LOCATION)

    assert "Change them to video calls" not in page_text(as_ada.get(more(maple)))


@pytest.mark.parametrize(
    "fields", [{"status": Status.CANCELLED}, {"status": Status.ARRIVED}, {"method": MeetingMethod.VIDEO}]
)
def test_unchangeable_appointments_are_not_counted(maple: Maple, as_ada: Browser, fields: dict[str, Any]) -> None:
    in_person(maple, **fields)

    assert "Change them to video calls" not in page_text(as_ada.get(more(maple)))


def test_another_services_appointments_are_not_counted(maple: Maple, as_ada: Browser) -> None:
    other = make_service(maple.organization, "Card help")
    make_appointment(other, maple.sam, maple.cleo, monday(10))

    assert "Change them to video calls" not in page_text(as_ada.get(more(maple)))


# --- The preview ----------------------------------------------------------------------------------------


def test_the_preview_shows_present_and_future_method_with_nothing_selected(maple: Maple, as_ada: Browser) -> None:
    booked = in_person(maple, method=MeetingMethod.PHONE)

    response = as_ada.get(page(maple))

    assert "Cleo Brandt Mon 30 Nov 2026, 10:00 Sam Okafor Phone Call A new link on Microsoft Teams" in page_text(
        response
    )
    assert f'name="appointment" value="{booked.pk}" aria-label' in response.content.decode()
    assert 'name="everything" value="true">' in response.content.decode()


def test_methods_no_longer_offered_are_marked(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)
    offer_only(maple, MeetingMethod.VIDEO)

    assert "At location no longer offered" in page_text(as_ada.get(page(maple)))


def test_staff_who_cannot_host_are_shown_with_the_reason(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    response = as_ada.get(page(maple))

    assert "Not possible now Not matched with a user of Microsoft Teams. See why" in page_text(response)
    assert 'name="appointment"' not in response.content.decode()


def test_a_client_without_email_is_shown_with_the_remedy(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)
    Client.objects.update(email="")

    response = as_ada.get(page(maple))

    assert "Not possible now Cleo Brandt has no email to send the link to. Add one" in page_text(response)
    assert 'name="appointment"' not in response.content.decode()


def test_the_page_of_a_service_without_video_calls_redirects(maple: Maple, as_ada: Browser) -> None:
    offer_only(maple, MeetingMethod.PHONE)

    response: Any = as_ada.get(page(maple))

    assert (response.status_code, response.url) == (303, more(maple))
    assert messages_of(response) == ["This service is not offered as a Video Call. Select that first."]


def test_the_page_says_if_nothing_can_be_changed(maple: Maple, as_ada: Browser) -> None:
    assert "Nothing is left to switch: all upcoming appointments" in page_text(as_ada.get(page(maple)))


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_preview_takes_the_same_queries_for_any_number(
    maple: Maple, as_ada: Browser, how_many: int, django_assert_num_queries: Any
) -> None:
    for number in range(how_many):
        in_person(maple, 10 + number)
    as_ada.get(page(maple))

    with django_assert_num_queries(11):
        as_ada.get(page(maple))


# --- The change -----------------------------------------------------------------------------------------


def test_selected_appointments_become_video_calls_and_people_are_notified(maple: Maple, as_ada: Browser) -> None:
    ticked, left = in_person(maple), in_person(maple, 11)

    response = post(as_ada, maple, ticked)

    assert messages_of(response) == ["1 appointment is a video call now; we email the client and the staff member."]
    assert (response.status_code, response.url) == (303, page(maple))
    ticked.refresh_from_db()
    left.refresh_from_db()
    assert (ticked.method, ticked.meeting) == (MeetingMethod.VIDEO, Meeting.objects.get())
    assert left.method == MeetingMethod.AT_LOCATION
    assert [mail.kind for mail in Notification.objects.all()] == ["changed", "changed"]
    event = ticked.events.get()
    assert (event_text(event), event.actor and event.actor.name) == (
        "Meeting method changed from At location to Video Call.",
        "Ada Quist",
    )


def test_select_all_covers_the_changeable_appointments_of_all_pages(
    maple: Maple, as_ada: Browser, tess: StaffMember
) -> None:
    able, elsewhere = in_person(maple), in_person(maple, 11)
    make_appointment(maple.review, tess, maple.cleo, monday(10))

    response = post(as_ada, maple, able, everything="true", shown=[able.pk])

    assert messages_of(response) == ["2 appointments are video calls now; we email the clients and the staff."]
    assert {meeting.appointment for meeting in Meeting.objects.all()} == {able, elsewhere}


def test_a_second_submit_notifies_no_one_again(maple: Maple, as_ada: Browser) -> None:
    booked = in_person(maple)
    post(as_ada, maple, booked)

    response = post(as_ada, maple, booked)

    assert messages_of(response)[-1] == (
        "1 selected appointment was left as it is: it was changed meanwhile, or cannot be a video call any more."
    )
    assert (Meeting.objects.count(), Notification.objects.count()) == (1, 2)


def test_the_page_says_if_nothing_is_selected(maple: Maple, as_ada: Browser) -> None:
    in_person(maple)

    assert messages_of(post(as_ada, maple)) == [
        "No appointment is selected. Select those that should become video calls."
    ]


def test_appointments_of_another_service_or_organisation_are_left_alone(maple: Maple, as_ada: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    carl = Client.objects.create(organization=cedar, name="Carl", email="carl@example.com")
    theirs = make_appointment(make_service(cedar), make_member(cedar, "Otto Weber"), carl, monday(10))
    card = make_service(maple.organization, "Card help")
    other = make_appointment(card, maple.sam, maple.cleo, monday(11))

    post(as_ada, maple, theirs, other)

    assert not Appointment.objects.filter(method=MeetingMethod.VIDEO).exists()

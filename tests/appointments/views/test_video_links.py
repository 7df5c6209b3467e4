"""Links of booked appointments: the notice, the preview, and Create links."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment
from integrations.models import Connection, DirectoryState, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from services.models import MeetingMethod
from staff.models import Role, StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment, make_member, make_organization, make_service
from tests.integrations.pages import messages_of, page_text
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday", "maple_with_teams")]

PAGE = "/settings/video-calls/links/"
MINE = "https://meet.example/sam"


def video(maple: Maple, hour: int = 10, staff: StaffMember | None = None, **fields: Any) -> Appointment:
    """Return a video appointment for which no meeting was requested."""
    fields = {"method": MeetingMethod.VIDEO, **fields}
    return make_appointment(maple.review, staff or maple.sam, maple.cleo, monday(hour), **fields)


def on_another_link(maple: Maple, hour: int = 10) -> Appointment:
    """Return a video appointment on a personal link that Sam no longer uses."""
    return video(maple, hour, personal_meeting_url=MINE)


def post(browser: Browser, *ticked: Appointment, page: str = PAGE, **form: Any) -> Any:
    return browser.post(page, {"appointment": [each.pk for each in ticked], **form})


# --- The notice -----------------------------------------------------------------------------------------


def dashboard(browser: Browser, **headers: str) -> Any:
    return browser.get(reverse("connection", args=[Connection.objects.get().pk]), headers=headers)


def test_the_dashboard_shows_the_number_of_missing_links(maple: Maple, as_ada: Browser) -> None:
    for hour in (10, 11, 12):
        video(maple, hour)

    html = dashboard(as_ada).content.decode()

    assert f'<span>3 booked video appointments have no link.</span> <a href="{PAGE}">Create links</a>' in html


def test_the_dashboard_shows_no_notice_if_no_link_is_missing(maple: Maple, as_ada: Browser) -> None:
    on_another_link(maple)

    assert "booked video appointment" not in page_text(dashboard(as_ada))


def test_the_notice_links_to_the_reason_if_no_link_can_be_created(maple: Maple, as_ada: Browser) -> None:
    video(maple)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    assert "1 booked video appointment has no link, and its staff member cannot host one now. See why" in page_text(
        dashboard(as_ada)
    )


def test_the_notice_counts_the_links_that_can_be_created(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    video(maple)
    video(maple, staff=tess)

    assert "2 booked video appointments have no link. One can be made for 1 of them. Create links" in page_text(
        dashboard(as_ada)
    )


def test_the_notice_stops_counting_at_a_limit(maple: Maple, as_ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appointments.video.missing_links.COUNT_LIMIT", 1)
    for hour in (10, 11):
        video(maple, hour)

    assert "More than 1 booked video appointments have no link. Create links" in page_text(dashboard(as_ada))


def test_a_switch_needs_no_confirmation_and_updates_the_notice(maple: Maple, as_ada: Browser) -> None:
    video(maple)
    UserMatch.objects.update(enabled=False)
    address = reverse("connection-toggle", args=[Connection.objects.get().pk, maple.sam.pk])

    response = as_ada.post(address, {"on": "true"}, headers={"HX-Request": "true"})

    assert '<div id="notices" hx-swap-oob="true" role="status">' in response.content.decode()
    assert "1 booked video appointment has no link.</span>" in response.content.decode()
    assert not Meeting.objects.exists()


def test_a_mass_update_gives_one_notice_in_total(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    for number, member in enumerate((maple.sam, tess)):
        video(maple, 10 + number, staff=member)
    address = reverse("connection-bulk", args=[Connection.objects.get().pk])

    response = as_ada.post(address, {"on": "true", "all": "true"}, follow=True)

    assert response.content.decode().count('class="notice ') == 1


def test_the_end_of_a_rematch_updates_the_notice(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    response = dashboard(as_ada, **{"HX-Request": "true"})

    assert '<div id="notices" hx-swap-oob="true" role="status">' in response.content.decode()


def test_the_list_of_integrations_shows_the_notice(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    assert "1 booked video appointment has no link. Create links" in page_text(as_ada.get(reverse("video-calls-all")))


def test_a_profile_shows_the_missing_links_of_its_person(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    video(maple)
    video(maple, 11, staff=tess)
    video(maple, 12, staff=tess)
    address = reverse("staff-profile", args=[maple.sam.pk])

    response = as_ada.post(address, {"platform": "default"}, follow=True)

    assert "Saved." in page_text(response)
    assert "1 booked video appointment has no link." in page_text(response)
    assert f'href="{PAGE}?staff={maple.sam.pk}">Create links</a>' in response.content.decode()


def test_a_profile_counts_the_links_kept_on_the_previous_platform(maple: Maple, as_ada: Browser) -> None:
    on_another_link(maple)

    response = as_ada.get(reverse("staff-profile", args=[maple.sam.pk]))

    sentence = "1 booked video appointment keeps the link that it has, which is not where Sam Okafor hosts now."
    assert sentence in page_text(response)
    assert f'href="{PAGE}?show=other&amp;staff={maple.sam.pk}">Replace links</a>' in response.content.decode()


def test_staff_see_no_notice_on_their_own_profile(maple: Maple) -> None:
    video(maple)

    response = signed_in(maple.sam).get(reverse("staff-profile", args=[maple.sam.pk]))

    assert "booked video appointment" not in page_text(response)


# --- The preview ----------------------------------------------------------------------------------------


def test_the_preview_shows_present_and_future_links(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    text = page_text(as_ada.get(PAGE))

    assert (
        "Mortgage review for Cleo Brandt Mon 30 Nov 2026, 10:00 Sam Okafor No link A new link on Microsoft Teams"
        in text
    )
    assert not Meeting.objects.exists()


def test_a_failed_link_in_the_preview_shows_the_reason_and_the_retry(maple: Maple, as_ada: Browser) -> None:
    maple.book(method=MeetingMethod.VIDEO)
    Meeting.objects.update(due_at=None, error_kind=ErrorKind.PERSON, error=message("No licence."))

    assert "No link No licence. The link is tried again on Microsoft Teams" in page_text(as_ada.get(PAGE))


def test_the_preview_shows_the_request_id_of_a_failure(maple: Maple, as_ada: Browser) -> None:
    booked = maple.book(method=MeetingMethod.VIDEO)
    Meeting.objects.update(
        due_at=None, error_kind=ErrorKind.BUG, error=message("Ask support."), error_request_id="599d9cb0"
    )

    for page in (PAGE, reverse("appointment", args=[booked.pk])):
        assert "Ask support. Request id, for support: 599d9cb0" in page_text(as_ada.get(page))


def test_a_staff_member_who_cannot_host_is_listed_with_the_reason_and_no_checkbox(
    maple: Maple, as_ada: Browser
) -> None:
    video(maple)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    response = as_ada.get(PAGE)

    row = f"/settings/video-calls/{Connection.objects.get().pk}/?search=sam@maple.example#user-{maple.sam.pk}"
    assert "Not possible now Not matched with a user of Microsoft Teams. See why" in page_text(response)
    assert f'href="{row.replace("@", "%40")}"' in response.content.decode()
    assert 'name="appointment"' not in response.content.decode()


def test_a_staff_member_who_left_must_be_replaced(maple: Maple, as_ada: Browser) -> None:
    booked = video(maple)
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)

    response = as_ada.get(PAGE)

    assert "Not possible now No longer takes appointments. Reassign" in page_text(response)
    assert reverse("appointment-reassign", args=[booked.pk]) in response.content.decode()


def test_only_appointments_without_a_link_are_selected_at_first(maple: Maple, as_ada: Browser) -> None:
    without, other = video(maple), on_another_link(maple, 11)

    missing = as_ada.get(PAGE).content.decode()
    working = as_ada.get(f"{PAGE}?show=other").content.decode()

    assert f'name="appointment" value="{without.pk}" checked' in missing
    assert f'name="appointment" value="{other.pk}" aria-label=' in working
    assert 'name="everything" value="true" checked' in missing
    assert 'name="everything" value="true">' in working


def test_a_link_on_another_platform_shows_both_platforms(maple: Maple, as_ada: Browser) -> None:
    on_another_link(maple)

    assert "Sam Okafor Personal link A new link on Microsoft Teams" in page_text(as_ada.get(f"{PAGE}?show=other"))


def test_a_personal_link_that_would_be_used_is_shown(maple: Maple, as_ada: Browser) -> None:
    video(maple)
    StaffMember.objects.update(video_choice=VideoChoice.PERSONAL, personal_meeting_url=MINE)

    assert f"No link Takes place on the personal link {MINE}" in page_text(as_ada.get(PAGE))


def test_the_page_says_if_no_link_is_missing(as_ada: Browser) -> None:
    assert "Every booked video appointment has its link, or gets it within moments." in page_text(as_ada.get(PAGE))


def test_the_page_says_if_no_link_is_on_another_platform(as_ada: Browser) -> None:
    assert "These links work" not in page_text(as_ada.get(f"{PAGE}?show=other"))


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_preview_takes_the_same_queries_for_any_number(
    maple: Maple, as_ada: Browser, how_many: int, django_assert_num_queries: Any
) -> None:
    for number in range(how_many):
        video(maple, 10 + number)
    as_ada.get(PAGE)

    with django_assert_num_queries(9):
        as_ada.get(PAGE)


@pytest.mark.parametrize("staff", ["9999999", "0", "x", "9" * 30])
def test_an_unknown_staff_member_is_a_404(as_ada: Browser, staff: str) -> None:
    assert as_ada.get(f"{PAGE}?staff={staff}").status_code == 404


def test_a_member_of_another_organisation_is_a_404(as_ada: Browser) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber", Role.ADMIN)

    assert as_ada.get(f"{PAGE}?staff={otto.pk}").status_code == 404


# --- Create links ---------------------------------------------------------------------------------------


def test_selected_appointments_get_their_links(maple: Maple, as_ada: Browser) -> None:
    ticked, left = video(maple), video(maple, 11)

    response = post(as_ada, ticked)

    assert messages_of(response) == ["1 booked appointment gets its link now."]
    assert Meeting.objects.get().appointment == ticked
    assert (response.status_code, response.url) == (303, PAGE)
    left.refresh_from_db()
    assert left.meeting is None


def test_select_all_covers_the_other_pages(maple: Maple, as_ada: Browser) -> None:
    shown, elsewhere = video(maple), video(maple, 11)

    response = post(as_ada, shown, everything="true", shown=[shown.pk])

    assert messages_of(response) == ["2 booked appointments get their links now."]
    assert {meeting.appointment for meeting in Meeting.objects.all()} == {shown, elsewhere}


def test_select_all_excludes_unselected_rows(maple: Maple, as_ada: Browser) -> None:
    kept, unticked = video(maple), video(maple, 11)

    post(as_ada, kept, everything="true", shown=[kept.pk, unticked.pk])

    assert Meeting.objects.get().appointment == kept


def test_a_second_submit_creates_nothing_and_shows_a_message(maple: Maple, as_ada: Browser) -> None:
    booked = video(maple)
    post(as_ada, booked)

    response = post(as_ada, booked)

    assert messages_of(response)[-1] == (
        "1 selected appointment was left as it is: it already has a link, or was changed, or its staff member "
        "cannot host it any more."
    )
    assert Meeting.objects.count() == 1


def test_the_page_says_if_nothing_is_selected(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    assert messages_of(post(as_ada)) == ["No appointment is selected. Select those that should get a link."]


def test_invalid_ids_select_nothing(as_ada: Browser) -> None:
    response = as_ada.post(PAGE, {"appointment": ["x", "-1", "9" * 40], "shown": "y"})

    assert messages_of(response) == ["No appointment is selected. Select those that should get a link."]


def test_an_appointment_of_another_organisation_is_left_alone(maple: Maple, as_ada: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    carl = maple.cleo.__class__.objects.create(organization=cedar, name="Carl", email="carl@example.com")
    otto = make_member(cedar, "Otto Weber")
    theirs = make_appointment(make_service(cedar), otto, carl, monday(10), method=MeetingMethod.VIDEO)

    post(as_ada, theirs)

    assert not Meeting.objects.exists()


def test_creating_links_keeps_links_that_work(maple: Maple, as_ada: Browser) -> None:
    other = on_another_link(maple)

    post(as_ada, other)
    post(as_ada, everything="true")

    assert not Meeting.objects.exists()


def test_a_selected_link_that_works_is_replaced(maple: Maple, as_ada: Browser) -> None:
    other, left = on_another_link(maple), on_another_link(maple, 11)

    response = post(as_ada, other, page=f"{PAGE}?show=other&staff={maple.sam.pk}")

    assert response.url == f"{PAGE}?show=other&staff={maple.sam.pk}"
    assert Meeting.objects.get().appointment == other
    left.refresh_from_db()
    assert left.personal_meeting_url == MINE


def test_select_all_for_one_person_covers_only_that_person(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    UserMatch.objects.create(
        connection=Connection.objects.get(), staff=tess, enabled=True, directory=DirectoryState.MATCHED
    )
    video(maple)
    hers = video(maple, staff=tess)

    post(as_ada, everything="true", page=f"{PAGE}?staff={tess.pk}")

    assert Meeting.objects.get().appointment == hers


def test_a_large_selection_continues_with_the_next_submit(
    maple: Maple, as_ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appointments.views.video_links.BATCH_SIZE", 2)
    for hour in (10, 11, 12):
        video(maple, hour)

    response = post(as_ada, everything="true")

    assert messages_of(response) == [
        "2 booked appointments get their links now.",
        "1 more is selected: choose the button again to go on.",
    ]

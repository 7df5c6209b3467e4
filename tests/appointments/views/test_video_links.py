"""Links of booked appointments: the notice that leads there, the preview, and Create links."""

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
from tests.integrations.pages import said, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday", "maple_with_teams")]

PAGE = "/settings/video-calls/links/"
MINE = "https://meet.example/sam"


@pytest.fixture
def as_ada(maple: Maple) -> Browser:
    return signed_in(make_member(maple.organization, "Ada Quist", Role.ADMIN))


def video(maple: Maple, hour: int = 10, staff: StaffMember | None = None, **fields: Any) -> Appointment:
    """A video appointment for which no meeting was ever asked."""
    fields = {"method": MeetingMethod.VIDEO, **fields}
    return make_appointment(maple.review, staff or maple.sam, maple.cleo, monday(hour), **fields)


def on_another_link(maple: Maple, hour: int = 10) -> Appointment:
    """A video appointment on a personal link that Sam does not use any more."""
    return video(maple, hour, personal_meeting_url=MINE)


def post(browser: Browser, *ticked: Appointment, page: str = PAGE, **form: Any) -> Any:
    return browser.post(page, {"appointment": [each.pk for each in ticked], **form})


# --- The notice -----------------------------------------------------------------------------------------


def dashboard(browser: Browser, **headers: str) -> Any:
    return browser.get(reverse("connection", args=[Connection.objects.get().pk]), headers=headers)


def test_the_dashboard_says_how_many_have_no_link(maple: Maple, as_ada: Browser) -> None:
    for hour in (10, 11, 12):
        video(maple, hour)

    html = dashboard(as_ada).content.decode()

    assert f'<span>3 booked video appointments have no link.</span> <a href="{PAGE}">Create links</a>' in html


def test_the_dashboard_says_nothing_where_every_link_is_there(maple: Maple, as_ada: Browser) -> None:
    on_another_link(maple)

    assert "booked video appointment" not in words(dashboard(as_ada))


def test_where_none_can_be_made_the_notice_leads_to_the_reason(maple: Maple, as_ada: Browser) -> None:
    video(maple)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    assert (
        "1 booked video appointment has no link, and its staff member cannot host one now. See why"
        in words(dashboard(as_ada))
    )


def test_where_some_can_be_made_the_notice_says_how_many(
    maple: Maple, as_ada: Browser, tess: StaffMember
) -> None:
    video(maple)
    video(maple, staff=tess)

    assert "2 booked video appointments have no link. One can be made for 1 of them. Create links" in words(
        dashboard(as_ada)
    )


def test_where_there_are_very_many_the_notice_does_not_count_them_all(
    maple: Maple, as_ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appointments.video.missing_links.COUNT_LIMIT", 1)
    for hour in (10, 11):
        video(maple, hour)

    assert "More than 1 booked video appointments have no link. Create links" in words(dashboard(as_ada))


def test_a_switch_asks_nothing_and_brings_the_notice_along(maple: Maple, as_ada: Browser) -> None:
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


def test_the_end_of_a_rematch_brings_the_notice_along(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    response = dashboard(as_ada, **{"HX-Request": "true"})

    assert '<div id="notices" hx-swap-oob="true" role="status">' in response.content.decode()


def test_the_list_of_integrations_says_it_too(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    assert "1 booked video appointment has no link. Create links" in words(
        as_ada.get(reverse("video-calls-all"))
    )


def test_a_profile_speaks_of_its_own_person(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    video(maple)
    video(maple, 11, staff=tess)
    video(maple, 12, staff=tess)
    address = reverse("staff-profile", args=[maple.sam.pk])

    response = as_ada.post(address, {"platform": "default"}, follow=True)

    assert "Saved." in words(response)
    assert "1 booked video appointment has no link." in words(response)
    assert f'href="{PAGE}?staff={maple.sam.pk}">Create links</a>' in response.content.decode()


def test_a_profile_says_what_keeps_its_link_after_another_platform_was_chosen(
    maple: Maple, as_ada: Browser
) -> None:
    on_another_link(maple)

    response = as_ada.get(reverse("staff-profile", args=[maple.sam.pk]))

    sentence = (
        "1 booked video appointment keeps the link that it has, which is not where Sam Okafor hosts now."
    )
    assert sentence in words(response)
    assert f'href="{PAGE}?show=other&amp;staff={maple.sam.pk}">Replace links</a>' in response.content.decode()


def test_staff_see_no_notice_on_their_own_profile(maple: Maple) -> None:
    video(maple)

    response = signed_in(maple.sam).get(reverse("staff-profile", args=[maple.sam.pk]))

    assert "booked video appointment" not in words(response)


# --- The preview ----------------------------------------------------------------------------------------


def test_the_preview_says_what_is_there_and_what_happens(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    text = words(as_ada.get(PAGE))

    assert (
        "Mortgage review for Cleo Brandt Mon 30 Nov 2026, 10:00 Sam Okafor No link A new link on Microsoft Teams"
        in text
    )
    assert not Meeting.objects.exists()


def test_a_failed_one_says_why_and_is_tried_again(maple: Maple, as_ada: Browser) -> None:
    maple.book(method=MeetingMethod.VIDEO)
    Meeting.objects.update(due_at=None, error_kind=ErrorKind.PERSON, error_sentence="No licence.")

    assert "No link No licence. The link is tried again on Microsoft Teams" in words(as_ada.get(PAGE))


def test_the_request_id_of_what_failed_stands_where_support_is_to_get_it(
    maple: Maple, as_ada: Browser
) -> None:
    booked = maple.book(method=MeetingMethod.VIDEO)
    Meeting.objects.update(
        due_at=None, error_kind=ErrorKind.BUG, error_sentence="Ask support.", error_request_id="599d9cb0"
    )

    for page in (PAGE, reverse("appointment", args=[booked.pk])):
        assert "Ask support. Request id, for support: 599d9cb0" in words(as_ada.get(page))


def test_a_staff_member_who_cannot_host_is_listed_with_the_reason_and_no_box(
    maple: Maple, as_ada: Browser
) -> None:
    video(maple)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    response = as_ada.get(PAGE)

    row = f"/settings/video-calls/{Connection.objects.get().pk}/?search=sam@maple.example#user-{maple.sam.pk}"
    assert "Not possible now Not matched with a user of Microsoft Teams. See why" in words(response)
    assert f'href="{row.replace("@", "%40")}"' in response.content.decode()
    assert 'name="appointment"' not in response.content.decode()


def test_a_staff_member_who_left_must_be_replaced(maple: Maple, as_ada: Browser) -> None:
    booked = video(maple)
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)

    response = as_ada.get(PAGE)

    assert "Not possible now No longer takes appointments. Reassign" in words(response)
    assert reverse("appointment-reassign", args=[booked.pk]) in response.content.decode()


def test_those_without_a_link_are_ticked_those_with_one_are_not(maple: Maple, as_ada: Browser) -> None:
    without, other = video(maple), on_another_link(maple, 11)

    missing = as_ada.get(PAGE).content.decode()
    working = as_ada.get(f"{PAGE}?show=other").content.decode()

    assert f'name="appointment" value="{without.pk}" checked' in missing
    assert f'name="appointment" value="{other.pk}" aria-label=' in working
    assert 'name="everything" value="true" checked' in missing
    assert 'name="everything" value="true">' in working


def test_a_link_elsewhere_says_where_it_is_and_where_it_would_be(maple: Maple, as_ada: Browser) -> None:
    on_another_link(maple)

    assert "Sam Okafor Personal link A new link on Microsoft Teams" in words(as_ada.get(f"{PAGE}?show=other"))


def test_a_personal_link_that_would_be_used_is_shown(maple: Maple, as_ada: Browser) -> None:
    video(maple)
    StaffMember.objects.update(video_choice=VideoChoice.PERSONAL, personal_meeting_url=MINE)

    assert f"No link Takes place on the personal link {MINE}" in words(as_ada.get(PAGE))


def test_nothing_to_do_is_said(as_ada: Browser) -> None:
    assert "Every booked video appointment has its link, or gets it within moments." in words(
        as_ada.get(PAGE)
    )


def test_where_every_link_is_where_it_belongs_none_is_called_elsewhere(as_ada: Browser) -> None:
    assert "These links work" not in words(as_ada.get(f"{PAGE}?show=other"))


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_preview_costs_the_same_for_any_number(
    maple: Maple, as_ada: Browser, how_many: int, django_assert_num_queries: Any
) -> None:
    for number in range(how_many):
        video(maple, 10 + number)
    as_ada.get(PAGE)

    with django_assert_num_queries(8):
        as_ada.get(PAGE)


@pytest.mark.parametrize("staff", ["9999999", "0", "x", "9" * 30])
def test_nobody_is_a_404(as_ada: Browser, staff: str) -> None:
    assert as_ada.get(f"{PAGE}?staff={staff}").status_code == 404


def test_a_member_of_another_organisation_is_a_404(as_ada: Browser) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber", Role.ADMIN)

    assert as_ada.get(f"{PAGE}?staff={otto.pk}").status_code == 404


# --- Create links ---------------------------------------------------------------------------------------


def test_what_is_ticked_gets_its_link(maple: Maple, as_ada: Browser) -> None:
    ticked, left = video(maple), video(maple, 11)

    response = post(as_ada, ticked)

    assert said(response) == ["1 booked appointment gets its link now."]
    assert Meeting.objects.get().appointment == ticked
    assert (response.status_code, response.url) == (303, PAGE)
    left.refresh_from_db()
    assert left.meeting is None


def test_everything_is_what_other_pages_hold_too(maple: Maple, as_ada: Browser) -> None:
    shown, elsewhere = video(maple), video(maple, 11)

    response = post(as_ada, shown, everything="true", shown=[shown.pk])

    assert said(response) == ["2 booked appointments get their links now."]
    assert {meeting.appointment for meeting in Meeting.objects.all()} == {shown, elsewhere}


def test_of_everything_what_was_unticked_is_left_out(maple: Maple, as_ada: Browser) -> None:
    kept, unticked = video(maple), video(maple, 11)

    post(as_ada, kept, everything="true", shown=[kept.pk, unticked.pk])

    assert Meeting.objects.get().appointment == kept


def test_a_second_submit_makes_nothing_and_says_so(maple: Maple, as_ada: Browser) -> None:
    booked = video(maple)
    post(as_ada, booked)

    response = post(as_ada, booked)

    assert said(response)[-1] == (
        "1 selected appointment was left as it is: it already has a link, or was changed, or its staff member "
        "cannot host it any more."
    )
    assert Meeting.objects.count() == 1


def test_the_page_says_if_nothing_is_selected(maple: Maple, as_ada: Browser) -> None:
    video(maple)

    assert said(post(as_ada)) == ["No appointment is selected. Select those that should get a link."]


def test_nonsense_is_nothing_ticked(as_ada: Browser) -> None:
    response = as_ada.post(PAGE, {"appointment": ["x", "-1", "9" * 40], "shown": "y"})

    assert said(response) == ["No appointment is selected. Select those that should get a link."]


def test_an_appointment_of_another_organisation_is_left_alone(maple: Maple, as_ada: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    carl = maple.cleo.__class__.objects.create(organization=cedar, name="Carl", email="carl@example.com")
    otto = make_member(cedar, "Otto Weber")
    theirs = make_appointment(make_service(cedar), otto, carl, monday(10), method=MeetingMethod.VIDEO)

    post(as_ada, theirs)

    assert not Meeting.objects.exists()


def test_a_link_that_works_is_not_replaced_by_creating(maple: Maple, as_ada: Browser) -> None:
    other = on_another_link(maple)

    post(as_ada, other)
    post(as_ada, everything="true")

    assert not Meeting.objects.exists()


def test_a_link_that_works_is_replaced_where_it_was_ticked(maple: Maple, as_ada: Browser) -> None:
    other, left = on_another_link(maple), on_another_link(maple, 11)

    response = post(as_ada, other, page=f"{PAGE}?show=other&staff={maple.sam.pk}")

    assert response.url == f"{PAGE}?show=other&staff={maple.sam.pk}"
    assert Meeting.objects.get().appointment == other
    left.refresh_from_db()
    assert left.personal_meeting_url == MINE


def test_for_one_person_everything_is_only_theirs(maple: Maple, as_ada: Browser, tess: StaffMember) -> None:
    UserMatch.objects.create(
        connection=Connection.objects.get(), staff=tess, enabled=True, directory=DirectoryState.MATCHED
    )
    video(maple)
    hers = video(maple, staff=tess)

    post(as_ada, everything="true", page=f"{PAGE}?staff={tess.pk}")

    assert Meeting.objects.get().appointment == hers


def test_more_than_a_click_does_at_once_are_gone_on_with(
    maple: Maple, as_ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appointments.views.video_links.BATCH_SIZE", 2)
    for hour in (10, 11, 12):
        video(maple, hour)

    response = post(as_ada, everything="true")

    assert said(response) == [
        "2 booked appointments get their links now.",
        "1 more is selected: choose the button again to go on.",
    ]

"""Several integrations: list, default, names, and staff without a platform."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection
from staff.models import StaffMember, VideoChoice
from tests.factories import make_connection, make_match, make_member, make_organization, make_run, make_staff
from tests.integrations.pages import messages_of, page_text
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


@pytest.fixture
def first(maple):
    return make_connection(maple)


@pytest.fixture
def second(maple, first):
    return make_connection(maple, "another account", is_default=False)


def choose(connection, *people):
    StaffMember.objects.filter(pk__in=[person.pk for person in people]).update(
        video_choice=VideoChoice.CONNECTION, video_connection=connection
    )


# --- The list ---------------------------------------------------------------------------------------
def test_the_list_distinguishes_integrations_and_shows_the_default(browser, maple, second):
    choose(second, *make_staff(maple, 2))

    text = page_text(browser.get(reverse("video-calls")))

    assert "Microsoft Teams Dashboard Microsoft Teams Rename" in text
    assert "Microsoft Teams Dashboard Microsoft Teams 2 Rename" in text
    assert "coconut-meetings@contoso.example Connected 1 Default" in text
    assert "coconut-meetings@contoso.example Connected 2 Make default" in text


def test_the_list_shows_account_and_tenant(browser, maple, monkeypatch):
    monkeypatch.undo()
    make_connection(maple)
    make_connection(maple, "another account", is_default=False)

    text = page_text(browser.get(reverse("video-calls")))

    assert text.count("coconut-meetings@contoso.example Method: Service Account") == 2
    assert text.count("Microsoft tenant: contoso.example") == 2


def test_the_list_shows_the_progress_and_the_result_of_a_rematch(browser, first, second):
    make_run(first, state="running", total=12, done=5)
    make_run(second, state="failed", total=4, done=2, error=message("Report request 7."))
    make_run(second, dismissed_at=timezone.now(), started_at=timezone.now() - timedelta(days=1))

    text = page_text(browser.get(reverse("video-calls")))

    assert "Connected Rematch under way: 5 of 12 users." in text
    assert "Connected The rematch did not finish: 2 of 4 users were looked up. Report request 7." in text


def test_the_list_hides_a_dismissed_result(browser, first, second):
    make_run(first, started_at=timezone.now() - timedelta(days=1))
    make_run(first, dismissed_at=timezone.now())

    assert "rematched" not in page_text(browser.get(reverse("video-calls")))


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_takes_the_same_queries_for_any_number_of_connections(
    browser, maple, monkeypatch, how_many, django_assert_num_queries
):
    monkeypatch.undo()
    for number in range(how_many):
        make_connection(maple, f"account {number}", is_default=number == 0)
        make_connection(maple, f"old {number}", is_default=False, status="disconnected")

    # Session, user, connections, staff, staff without a platform (2), rematches, failed and missing links,
    # request, banner.
    with django_assert_num_queries(12):
        browser.get(reverse("video-calls-all"))


def test_disconnected_integrations_are_listed_below(browser, first, second):
    disconnect_connection(second, None)

    response = browser.get(reverse("video-calls-all"))

    text = page_text(response)
    assert "Disconnected Integration Account People Actions Microsoft Teams 2 Disconnected" in text
    assert f'href="{reverse("connection", args=[second.pk])}"' in response.content.decode()


def test_with_one_live_connection_its_dashboard_opens_and_links_to_all(browser, first, second):
    disconnect_connection(second, None)

    response = browser.get(reverse("video-calls"), follow=True)

    assert response.redirect_chain == [(reverse("connection", args=[first.pk]), 302)]
    assert f'href="{reverse("video-calls-all")}">All integrations</a>' in response.content.decode()


def test_an_integration_can_be_added_from_the_list_and_from_a_dashboard(browser, first, second):
    pages = [browser.get(reverse("video-calls")), browser.get(reverse("connection", args=[first.pk]))]

    assert [f'href="{reverse("video-calls-new")}">+ New</a>' in page.content.decode() for page in pages] == [
        True,
        True,
    ]


def test_another_organisations_integrations_are_not_listed(browser, first, second):
    make_connection(make_organization("Cedar Bank"), name="Cedar's own")

    assert "Cedar" not in page_text(browser.get(reverse("video-calls-all")))


# --- Make default -----------------------------------------------------------------------------------
def test_make_default_shows_a_confirmation(browser, ada, second):
    make_match(second, ada)

    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert response.url == reverse("video-calls")
    assert messages_of(response) == ["Microsoft Teams 2 is the organisation's default now."]
    assert Connection.objects.get(is_default=True) == second


def test_a_new_default_without_enabled_users_warns_and_opens_its_dashboard(browser, second):
    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert response.url == reverse("connection", args=[second.pk])
    assert messages_of(response) == [
        "Microsoft Teams 2 is the organisation's default now.",
        "Video Calls is off for everybody on Microsoft Teams 2. Turn it on below.",
    ]


def test_a_disconnected_integration_cannot_become_the_default(browser, first, second):
    disconnect_connection(second, None)

    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert messages_of(response) == ["Microsoft Teams 2 is disconnected already."]
    assert Connection.objects.get(is_default=True) == first


@pytest.mark.parametrize("name", ["connection-default", "connection-use-default", "connection-rename"])
def test_integrations_of_another_organisation_cannot_be_changed(browser, maple, first, name):
    foreign = make_connection(make_organization("Cedar Bank"), name="Cedar's own")

    response = browser.post(reverse(name, args=[foreign.pk]), {"name": "Mine"})

    foreign.refresh_from_db()
    assert (response.status_code, foreign.name, foreign.is_default) == (404, "Cedar's own", True)


# --- Staff without a platform ---------------------------------------------------------------------
def test_with_a_default_the_list_does_not_warn_about_missing_platforms(browser, second):
    text = page_text(browser.get(reverse("video-calls")))

    assert "no video platform" not in text


def test_the_list_counts_people_without_a_platform_and_offers_a_remedy(browser, maple, ada, first, second):
    make_connection(maple, "a third account", is_default=False)
    make_staff(maple, 2)
    disconnect_connection(first, None)

    text = page_text(browser.get(reverse("video-calls")))

    assert (
        "3 people have no video platform, for no integration is the organisation's default, and are not offered for "
        "video. Choose Make default beside one of the integrations below."
    ) in text


def test_the_only_remaining_dashboard_offers_to_become_the_default(browser, first, second):
    disconnect_connection(first, None)

    response = browser.get(reverse("video-calls"), follow=True)

    assert "1 person has no video platform" in page_text(response)
    assert f'action="{reverse("connection-default", args=[second.pk])}"' in response.content.decode()
    assert "Make Microsoft Teams 2 the default" in page_text(response)


def test_after_the_last_disconnect_the_platforms_page_counts_people_without_a_platform(browser, maple, ada, first):
    make_staff(maple, 2)
    disconnect_connection(first, None)

    text = page_text(browser.get(reverse("video-calls")))

    assert "3 people have no video platform" in text
    assert "The next integration that you connect becomes the default automatically." in text
    assert "Microsoft Teams Disconnected coconut-meetings@contoso.example" in text


def test_before_the_first_connection_the_page_does_not_warn(browser, maple):
    make_staff(maple, 2)

    assert "no video platform" not in page_text(browser.get(reverse("video-calls")))


def test_people_who_chose_a_disconnected_integration_are_counted_with_a_remedy(browser, maple, first, second):
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    text = page_text(browser.get(reverse("video-calls"), follow=True))
    gone = page_text(browser.get(reverse("connection", args=[second.pk])))

    assert "2 people have chosen Microsoft Teams 2, which is disconnected, and are not offered for video." in text
    assert "Use the default (Microsoft Teams) for these 2 people" in gone


def test_they_can_all_be_moved_to_the_default(browser, maple, first, second):
    people = make_staff(maple, 2)
    choose(second, *people)
    disconnect_connection(second, None)

    response = browser.post(reverse("connection-use-default", args=[second.pk]))

    assert messages_of(response) == ["2 people use the organisation's default now."]
    assert not StaffMember.objects.filter(pk__in=[person.pk for person in people]).exclude(
        video_choice=VideoChoice.DEFAULT, video_connection=None
    )


# --- Names ------------------------------------------------------------------------------------------
def test_an_integration_can_be_renamed(browser, first):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": "  Branches \r\n east "})

    first.refresh_from_db()
    assert (first.name, messages_of(response)) == ("Branches east", ["Saved."])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("microsoft teams 2", "Another integration has this name. Choose one that tells them apart."),
        (" \t", "This field is required."),
        ("x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_an_invalid_name_is_refused_with_a_sentence(browser, first, second, name, sentence):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": name})

    first.refresh_from_db()
    assert sentence in page_text(response)
    assert first.name == "Microsoft Teams"


def test_a_refused_name_stays_in_the_field_and_the_page_keeps_the_old_one(browser, first, second):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": "Microsoft Teams 2"})

    html = response.content.decode()
    assert 'value="Microsoft Teams 2"' in html
    assert "Rename Microsoft Teams</h1>" in html


# --- Profiles ---------------------------------------------------------------------------------------
def test_the_profile_offers_each_integration_by_name_and_shows_the_default(browser, maple, second):
    sam = make_member(maple)

    text = page_text(browser.get(reverse("staff-profile", args=[sam.pk])))

    assert "Organisation default (Microsoft Teams) Microsoft Teams Microsoft Teams 2 Personal link" in text


def test_the_profile_names_a_disconnected_choice_and_offers_a_remedy(browser, maple, first, second):
    sam = make_member(maple)
    make_match(second, sam)
    choose(second, sam)
    disconnect_connection(second, None)

    response = browser.get(reverse("staff-profile", args=[sam.pk]))

    assert f'<option value="{second.pk}" selected>Microsoft Teams 2 (disconnected)</option>' in (
        response.content.decode()
    )
    assert (
        "Microsoft Teams 2, where Sam Okafor hosts video appointments, is disconnected. Choose another Video Calls "
        "Platform in the profile of Sam Okafor, or connect it again under Settings > Video Calls."
    ) in page_text(response).replace("&gt;", ">")


def test_without_a_default_the_profile_shows_none(browser, maple, first):
    sam = make_member(maple)
    disconnect_connection(first, None)

    text = page_text(browser.get(reverse("staff-profile", args=[sam.pk])))

    assert "Organisation default (none) Personal link" in text


def test_a_disconnected_integration_cannot_be_chosen(browser, maple, first, second):
    sam = make_member(maple)
    disconnect_connection(second, None)

    response = browser.post(reverse("staff-profile", args=[sam.pk]), {"platform": str(second.pk)})

    assert "Select a valid choice." in page_text(response)

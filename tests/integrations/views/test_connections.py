"""Several integrations: the list, Make default, names, and who has no platform."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection
from staff.models import Role, StaffMember, VideoChoice
from tests.factories import make_connection, make_match, make_member, make_organization, make_run, make_staff
from tests.integrations.pages import said, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


@pytest.fixture
def maple(db):
    return make_organization()


@pytest.fixture
def ada(maple):
    return make_member(maple, "Ada Lovell", Role.ADMIN)


@pytest.fixture
def browser(client, ada):
    client.force_login(ada)
    return client


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
def test_the_list_tells_integrations_apart_and_says_which_is_the_default(browser, maple, second):
    choose(second, *make_staff(maple, 2))

    text = words(browser.get(reverse("video-calls")))

    assert "Microsoft Teams Dashboard Microsoft Teams Rename" in text
    assert "Microsoft Teams Dashboard Microsoft Teams 2 Rename" in text
    assert "coconut-meetings@contoso.example Connected 1 Default" in text
    assert "coconut-meetings@contoso.example Connected 2 Make default" in text


def test_the_list_shows_account_and_tenant(browser, maple, monkeypatch):
    monkeypatch.undo()
    make_connection(maple)
    make_connection(maple, "another account", is_default=False)

    text = words(browser.get(reverse("video-calls")))

    assert text.count("coconut-meetings@contoso.example Method: Service Account") == 2
    assert text.count("Microsoft tenant: contoso.example") == 2


def test_the_list_says_how_far_a_rematch_is_and_how_it_ended(browser, first, second):
    make_run(first, state="running", total=12, done=5)
    make_run(second, state="failed", total=4, done=2, error="Report request 7.")
    make_run(second, dismissed_at=timezone.now(), started_at=timezone.now() - timedelta(days=1))

    text = words(browser.get(reverse("video-calls")))

    assert "Connected Rematch under way: 5 of 12 users." in text
    assert "Connected The rematch did not finish: 2 of 4 users were looked up. Report request 7." in text


def test_the_list_is_silent_about_a_result_that_was_dismissed(browser, first, second):
    make_run(first, started_at=timezone.now() - timedelta(days=1))
    make_run(first, dismissed_at=timezone.now())

    assert "rematched" not in words(browser.get(reverse("video-calls")))


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_costs_the_same_for_any_number(
    browser, maple, monkeypatch, how_many, django_assert_num_queries
):
    monkeypatch.undo()
    for number in range(how_many):
        make_connection(maple, f"account {number}", is_default=number == 0)
        make_connection(maple, f"old {number}", is_default=False, status="disconnected")

    # Session, person, connections, people, who has no platform (2), the rematches, failed and missing links, banner.
    with django_assert_num_queries(10):
        browser.get(reverse("video-calls-all"))


def test_what_was_disconnected_is_listed_below(browser, first, second):
    disconnect_connection(second, None)

    response = browser.get(reverse("video-calls-all"))

    text = words(response)
    assert "Disconnected Integration Account People Actions Microsoft Teams 2 Disconnected" in text
    assert f'href="{reverse("connection", args=[second.pk])}"' in response.content.decode()


def test_with_one_live_connection_its_dashboard_opens_and_leads_to_all(browser, first, second):
    disconnect_connection(second, None)

    response = browser.get(reverse("video-calls"), follow=True)

    assert response.redirect_chain == [(reverse("connection", args=[first.pk]), 302)]
    assert f'href="{reverse("video-calls-all")}">All integrations</a>' in response.content.decode()


def test_a_new_one_is_added_from_the_list_and_from_a_dashboard(browser, first, second):
    pages = [browser.get(reverse("video-calls")), browser.get(reverse("connection", args=[first.pk]))]

    assert [f'href="{reverse("video-calls-new")}">+ New</a>' in page.content.decode() for page in pages] == [
        True,
        True,
    ]


def test_another_organisations_integrations_are_not_listed(browser, first, second):
    make_connection(make_organization("Cedar Bank"), name="Cedar's own")

    assert "Cedar" not in words(browser.get(reverse("video-calls-all")))


# --- Make default -----------------------------------------------------------------------------------
def test_make_default_says_so(browser, ada, second):
    make_match(second, ada)

    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert response.url == reverse("video-calls")
    assert said(response) == ["Microsoft Teams 2 is the organisation's default now."]
    assert Connection.objects.get(is_default=True) == second


def test_making_a_default_on_which_nobody_is_on_warns_and_leads_there(browser, second):
    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert response.url == reverse("connection", args=[second.pk])
    assert said(response) == [
        "Microsoft Teams 2 is the organisation's default now.",
        "Video Calls is off for everybody on Microsoft Teams 2. Turn it on below.",
    ]


def test_what_is_gone_cannot_be_made_the_default(browser, first, second):
    disconnect_connection(second, None)

    response = browser.post(reverse("connection-default", args=[second.pk]))

    assert said(response) == ["Microsoft Teams 2 is disconnected already."]
    assert Connection.objects.get(is_default=True) == first


@pytest.mark.parametrize("name", ["connection-default", "connection-use-default", "connection-rename"])
def test_nothing_is_done_to_another_organisations(browser, maple, first, name):
    foreign = make_connection(make_organization("Cedar Bank"), name="Cedar's own")

    response = browser.post(reverse(name, args=[foreign.pk]), {"name": "Mine"})

    foreign.refresh_from_db()
    assert (response.status_code, foreign.name, foreign.is_default) == (404, "Cedar's own", True)


# --- Who has no platform ----------------------------------------------------------------------------
def test_with_a_default_nobody_is_said_to_have_no_platform(browser, second):
    text = words(browser.get(reverse("video-calls")))

    assert "no video platform" not in text


def test_the_list_says_how_many_have_no_platform_and_what_to_do(browser, maple, ada, first, second):
    make_connection(maple, "a third account", is_default=False)
    make_staff(maple, 2)
    disconnect_connection(first, None)

    text = words(browser.get(reverse("video-calls")))

    assert (
        "3 people have no video platform, for no integration is the organisation's default, and are not offered for "
        "video. Choose Make default beside one of the integrations below."
    ) in text


def test_the_only_dashboard_left_offers_itself_as_the_default(browser, first, second):
    disconnect_connection(first, None)

    response = browser.get(reverse("video-calls"), follow=True)

    assert "1 person has no video platform" in words(response)
    assert f'action="{reverse("connection-default", args=[second.pk])}"' in response.content.decode()
    assert "Make Microsoft Teams 2 the default" in words(response)


def test_when_the_last_one_went_the_providers_say_who_has_no_platform(browser, maple, ada, first):
    make_staff(maple, 2)
    disconnect_connection(first, None)

    text = words(browser.get(reverse("video-calls")))

    assert "3 people have no video platform" in text
    assert "The next integration that you connect becomes the default by itself." in text
    assert "Microsoft Teams Disconnected coconut-meetings@contoso.example" in text


def test_before_anything_was_connected_nobody_is_missing_a_platform(browser, maple):
    make_staff(maple, 2)

    assert "no video platform" not in words(browser.get(reverse("video-calls")))


def test_those_who_have_chosen_what_is_gone_are_counted_with_a_way_out(browser, maple, first, second):
    choose(second, *make_staff(maple, 2))
    disconnect_connection(second, None)

    text = words(browser.get(reverse("video-calls"), follow=True))
    gone = words(browser.get(reverse("connection", args=[second.pk])))

    assert (
        "2 people have chosen Microsoft Teams 2, which is disconnected, and are not offered for video."
        in text
    )
    assert "Use the default (Microsoft Teams) for these 2 people" in gone


def test_they_can_all_be_given_the_default(browser, maple, first, second):
    people = make_staff(maple, 2)
    choose(second, *people)
    disconnect_connection(second, None)

    response = browser.post(reverse("connection-use-default", args=[second.pk]))

    assert said(response) == ["2 people use the organisation's default now."]
    assert not StaffMember.objects.filter(pk__in=[person.pk for person in people]).exclude(
        video_choice=VideoChoice.DEFAULT, video_connection=None
    )


# --- Names ------------------------------------------------------------------------------------------
def test_an_integration_is_renamed(browser, first):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": "  Branches \r\n east "})

    first.refresh_from_db()
    assert (first.name, said(response)) == ("Branches east", ["Saved."])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("microsoft teams 2", "Another integration has this name. Choose one that tells them apart."),
        (" \t", "This field is required."),
        ("x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_a_name_that_does_not_do_is_refused_in_words(browser, first, second, name, sentence):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": name})

    first.refresh_from_db()
    assert sentence in words(response)
    assert first.name == "Microsoft Teams"


def test_a_refused_name_stays_in_the_field_and_the_page_keeps_the_old_one(browser, first, second):
    response = browser.post(reverse("connection-rename", args=[first.pk]), {"name": "Microsoft Teams 2"})

    html = response.content.decode()
    assert 'value="Microsoft Teams 2"' in html
    assert "Rename Microsoft Teams</h1>" in html


# --- Profiles ---------------------------------------------------------------------------------------
def test_the_profile_offers_each_by_name_and_says_what_the_default_is(browser, maple, second):
    sam = make_member(maple)

    text = words(browser.get(reverse("staff-profile", args=[sam.pk])))

    assert "Organisation default (Microsoft Teams) Microsoft Teams Microsoft Teams 2 Personal link" in text


def test_the_profile_names_a_chosen_platform_that_is_gone_and_what_to_do(browser, maple, first, second):
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
    ) in words(response).replace("&gt;", ">")


def test_without_a_default_the_profile_says_none(browser, maple, first):
    sam = make_member(maple)
    disconnect_connection(first, None)

    text = words(browser.get(reverse("staff-profile", args=[sam.pk])))

    assert "Organisation default (none) Personal link" in text


def test_nobody_can_choose_anew_what_is_gone(browser, maple, first, second):
    sam = make_member(maple)
    disconnect_connection(second, None)

    response = browser.post(reverse("staff-profile", args=[sam.pk]), {"platform": str(second.pk)})

    assert "Select a valid choice." in words(response)

"""Settings > Integrations & API > Video Calls, for admins and for others."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, DirectoryState, RematchRun, RematchTrigger, UserMatch
from integrations.platforms.values import MatchReason
from staff.models import Role
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.pages import messages_with_level

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


def page(browser: Browser, address: str, **headers: str) -> str:
    response = browser.get(address, headers=headers or None)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def names_in_table(html: str) -> list[str]:
    return re.findall(r'aria-label="Video Calls for ([^"]+)"', html)


def switch_of(html: str, name: str) -> str:
    found = re.search(rf'aria-checked="(\w+)" aria-label="Video Calls for {name}"', html)
    assert found is not None, f"{name} is not in the table"
    return found[1]


# --- Which page -----------------------------------------------------------------------------------------


def test_without_a_connection_the_platforms_are_shown(browser, fake_teams):
    html = page(browser, reverse("video-calls"))

    assert f'href="{fake_teams.connect_url()}">Microsoft Teams</a>' in html


def test_without_the_add_on_the_tile_cannot_be_clicked(browser, fake_teams):
    fake_teams.addon = False

    html = page(browser, reverse("video-calls"))

    assert "Optional add-on. Please contact your Customer Success Team to get started." in html
    assert fake_teams.connect_url() not in html


def test_with_one_connection_its_dashboard_opens(browser, maple):
    connection = make_connection(maple)

    response = browser.get(reverse("video-calls"))

    assert response.url == reverse("connection", args=[connection.pk])


def test_with_several_connections_each_is_listed_by_name(browser, maple):
    make_connection(maple)
    second = make_connection(maple, name="Microsoft Teams 2", is_default=False, account_oid="2")

    html = page(browser, reverse("video-calls"))

    assert html.count("Microsoft Teams Dashboard</a>") == 2
    assert "Microsoft Teams 2" in html
    assert reverse("connection", args=[second.pk]) in html
    assert f'href="{reverse("video-calls-new")}">+ New</a>' in html


@pytest.mark.parametrize("name", ["settings", "video-calls", "video-calls-new"])
@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.STAFF])
def test_only_admins_reach_the_settings(client, maple, role, name):
    client.force_login(make_member(maple, "Sky Moreno", role))

    response = client.get(reverse(name))

    assert response.status_code == 403
    assert "Only admins can open this page." in response.content.decode()


# --- The dashboard --------------------------------------------------------------------------------------


def test_the_account_is_on_top_and_all_users_are_off_at_first(browser, maple, sam):
    connection = make_connection(maple)

    html = page(browser, reverse("connection", args=[connection.pk]))

    assert "coconut-meetings@contoso.example" in html
    assert names_in_table(html) == ["Ada Lovell", "Sam Okafor"]
    assert switch_of(html, "Sam Okafor") == "false"
    assert html.count("Checking…</span>") == 2


def test_another_organisations_dashboard_does_not_exist(browser):
    foreign = make_connection(make_organization("Cedar Bank"))

    response = browser.get(reverse("connection", args=[foreign.pk]))

    assert response.status_code == 404


def test_a_user_who_is_not_matched_has_a_remedy(browser, maple, sam):
    connection = make_connection(maple)
    make_match(connection, sam, directory=DirectoryState.UNMATCHED, reason=MatchReason.NOT_FOUND, remote_id="")

    html = page(browser, reverse("connection", args=[connection.pk]))

    assert "Unmatched</span>" in html
    assert '<div class="remedy">' in html


def test_two_people_with_the_same_remote_user_get_a_warning(browser, maple, ada, sam):
    connection = make_connection(maple)
    for member in (ada, sam):
        make_match(connection, member, remote_id="the-same")

    html = page(browser, reverse("connection", args=[connection.pk]))

    assert "The same Microsoft Teams user as Ada Lovell." in html
    assert "The same Microsoft Teams user as Sam Okafor." in html


@pytest.mark.parametrize("people", [1, 3])
def test_the_dashboard_takes_the_same_queries_for_any_number_of_people(
    browser, maple, people, django_assert_num_queries
):
    connection = make_connection(maple)
    for member in make_staff(maple, people):
        make_match(connection, member)
    browser.get(reverse("connection", args=[connection.pk]))

    with django_assert_num_queries(15):
        browser.get(reverse("connection", args=[connection.pk]))


def test_while_matching_runs_the_page_shows_the_progress(browser, maple):
    connection = make_connection(maple)
    RematchRun.objects.create(connection=connection, trigger=RematchTrigger.CONNECTED, total=12, done=5)

    html = page(browser, reverse("connection", args=[connection.pk]))

    assert "Matching your staff with Microsoft Teams users: 5 of 12…" in html
    assert 'hx-trigger="every 2s"' in html


# --- Search, filter, sort, pages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=oka", ["Sam Okafor"]),
        ("search=ADA%40maple", ["Ada Lovell"]),
        ("search=sam+okafor", ["Sam Okafor"]),
        ("search=remote.upn", ["Sam Okafor"]),
        ("search=nobody", []),
        ("video=on", ["Sam Okafor"]),
        ("video=off", ["Ada Lovell"]),
        ("status=matched", ["Sam Okafor"]),
        ("status=unmatched", []),
        ("sort=-name", ["Sam Okafor", "Ada Lovell"]),
        ("sort=nonsense&status=nonsense&rows=7&page=99", ["Ada Lovell", "Sam Okafor"]),
    ],
)
def test_search_filter_and_sort_are_in_the_address(browser, maple, sam, query, expected):
    connection = make_connection(maple)
    make_match(connection, sam, remote_user_name="sam.remote.upn@contoso.example")

    html = page(browser, f"{reverse('connection', args=[connection.pk])}?{query}")

    assert names_in_table(html) == expected


def test_rows_per_page_and_the_last_page(browser, maple):
    connection = make_connection(maple)
    make_staff(maple, 60)

    first = page(browser, f"{reverse('connection', args=[connection.pk])}?rows=50")
    last = page(browser, f"{reverse('connection', args=[connection.pk])}?rows=50&page=2")

    assert (len(names_in_table(first)), len(names_in_table(last))) == (50, 11)


def test_htmx_gets_only_the_table(browser, maple):
    connection = make_connection(maple)

    html = page(browser, reverse("connection", args=[connection.pk]), **{"HX-Request": "true"})

    assert html.strip().startswith('<div id="users"')


# --- The switch -----------------------------------------------------------------------------------------


def test_the_switch_takes_effect_at_once_and_returns_to_the_same_table(browser, maple, sam):
    connection = make_connection(maple)

    response = browser.post(
        reverse("connection-toggle", args=[connection.pk, sam.pk]),
        {"on": "true", "back": "search=sam&page=1&evil=//elsewhere.example"},
    )

    assert UserMatch.objects.get(connection=connection, staff=sam).enabled is True
    assert response.url == f"{reverse('connection', args=[connection.pk])}?search=sam&page=1"


def test_the_switch_answers_htmx_with_the_row_and_the_counts(browser, maple, sam):
    connection = make_connection(maple)

    response = browser.post(
        reverse("connection-toggle", args=[connection.pk, sam.pk]),
        {"on": "true"},
        headers={"HX-Request": "true"},
    )

    html = response.content.decode()
    assert switch_of(html, "Sam Okafor") == "true"
    assert "Video Calls is on for <strong>1</strong> of 2" in html


def test_a_switch_of_another_organisation_does_not_exist(browser, maple):
    connection = make_connection(maple)
    otto = make_member(make_organization("Cedar Bank"), "Otto Keller", Role.ADMIN)

    response = browser.post(reverse("connection-toggle", args=[connection.pk, otto.pk]), {"on": "true"})

    assert response.status_code == 404
    assert not UserMatch.objects.exists()


def test_all_users_found_by_the_search_are_turned_on_across_pages(browser, maple):
    connection = make_connection(maple)
    make_staff(maple, 30, last_name="Lind")

    response = browser.post(
        reverse("connection-bulk", args=[connection.pk]),
        {"all": "true", "on": "true", "back": "search=lind&rows=25"},
        follow=True,
    )

    assert UserMatch.objects.filter(connection=connection, enabled=True).count() == 30
    assert "Video Calls is on for 30 more people." in response.content.decode()


@pytest.mark.parametrize("on", ["true", "false"])
def test_an_empty_selection_gets_a_sentence(browser, maple, on):
    connection = make_connection(maple)

    response = browser.post(reverse("connection-bulk", args=[connection.pk]), {"on": on, "back": ""}, follow=True)

    (said,) = response.context["messages"]
    assert str(said) == "Nobody is selected. Tick the users, or the box above them for all of them."
    assert not connection.events.exists()


def test_only_the_selected_users_are_turned_off(browser, maple, ada, sam):
    connection = make_connection(maple)
    for member in (ada, sam):
        make_match(connection, member)

    browser.post(reverse("connection-bulk", args=[connection.pk]), {"staff": [sam.pk, "x"], "on": "false", "back": ""})

    enabled = UserMatch.objects.filter(connection=connection, enabled=True)
    assert [match.staff for match in enabled] == [ada]


# --- Messages -------------------------------------------------------------------------------------
@pytest.fixture
def turned(browser, maple, sam) -> Connection:
    """Turn Sam on with the button above the table; the message with Undo is not shown yet."""
    connection = make_connection(maple)
    browser.post(reverse("connection-bulk", args=[connection.pk]), {"staff": [sam.pk], "on": "true"})
    return connection


def test_a_switch_removes_the_previous_message_and_its_undo(browser, turned, sam):
    seen = page(browser, reverse("connection", args=[turned.pk]))
    address = reverse("connection-toggle", args=[turned.pk, sam.pk])

    html = browser.post(address, {"on": "false"}, headers={"HX-Request": "true"}).content.decode()

    assert "Undo" in seen
    assert re.search(r'<div id="messages"[^>]* hx-swap-oob="true">\s*</div>', html) is not None


def test_an_undo_without_effect_is_not_a_success(browser, turned):
    event = turned.events.get()
    browser.post(reverse("connection-undo", args=[turned.pk, event.pk]))

    response = browser.post(reverse("connection-undo", args=[turned.pk, event.pk]))

    level, text = messages_with_level(response)[-1]
    assert level == "info"
    assert "<span>There is nothing left to undo.</span>" in text
    assert "<form" not in text


# --- A person's platform --------------------------------------------------------------------------------


def test_admins_see_that_a_connection_is_broken(browser, maple):
    connection = make_connection(maple, status="needs_reauthorization", connected_at=timezone.now())

    html = page(browser, reverse("settings"))

    assert "Microsoft Teams needs to be reauthorized" in html
    assert reverse("connection", args=[connection.pk]) in html
    assert Connection.objects.get() == connection

"""Grant a missing host permission from the dashboard, for one person and for all."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, DirectoryState, EventKind, HostPermission, UserMatch
from integrations.platforms.values import MatchReason
from integrations.views import host_permission as views
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(fake_teams: FakePlatform, monkeypatch) -> FakePlatform:
    fake_teams.needs_permission_probe = True
    monkeypatch.setattr(fake_teams, "remedy", lambda connection, match: f"Fix the {match.host_permission} person.")
    return fake_teams


@pytest.fixture
def connection(maple, platform) -> Connection:
    return make_connection(maple)


@pytest.fixture
def sam(maple, connection) -> UserMatch:
    """Sam, without the host permission."""
    return make_match(connection, make_member(maple), host_permission=HostPermission.DENIED, remote_id="sam-id")


def page(browser: Browser, name: str, *args: object, **query: object) -> str:
    response = browser.get(reverse(name, args=args, query=query or None))
    assert response.status_code == 200
    return response.content.decode()


def row_of(html: str, match: UserMatch) -> str:
    found = re.search(rf'<tr id="user-{match.staff_id}".*?</tr>', html, re.DOTALL)
    assert found is not None
    return found[0]


def i_ran_it(browser: Browser, match: UserMatch, **headers: str):
    address = reverse("connection-grant", args=[match.connection_id, match.staff_id])
    return browser.post(address, {"back": "search=sam"}, headers=headers)


# --- one person -------------------------------------------------------------------------------------
def test_the_row_of_a_person_without_permission_shows_the_commands(browser, connection, sam):
    row = row_of(page(browser, "connection", connection.pk), sam)

    assert "Forbidden</span>" in row
    assert "Fix the denied person." in row
    for number, verb in enumerate(["grant", "check"], start=1):
        name = f"script-{sam.staff_id}-{number}"
        assert f'<pre class="code-block" id="{name}" tabindex="0">{verb} sam-id</pre>' in row
        assert f'data-copy="#{name}"' in row
    assert 'aria-label="I ran it for Sam Okafor"' in row


@pytest.mark.parametrize(
    "fields",
    [
        {"host_permission": HostPermission.GRANTED},
        {"host_permission": HostPermission.UNKNOWN},
        {"reason": MatchReason.GUEST},
        {"directory": DirectoryState.UNMATCHED, "reason": MatchReason.NOT_FOUND},
    ],
)
def test_other_rows_show_no_commands(browser, connection, sam, fields):
    UserMatch.objects.update(**fields)

    row = row_of(page(browser, "connection", connection.pk), sam)

    assert "grant sam-id" not in row
    assert "I ran it" not in row


def test_after_i_ran_it_the_person_waits(browser, connection, ada, sam):
    response = i_ran_it(browser, sam)

    row = row_of(page(browser, "connection", connection.pk), sam)
    (event,) = connection.events.all()
    assert response.url == reverse("connection", args=[connection.pk], query={"search": "sam"})
    assert "Forbidden</span>" in row
    assert "Fix the waiting person." in row
    assert "I ran it" not in row
    assert (event.kind, event.actor) == (EventKind.PERMISSION_REPORTED, ada)


def test_a_waiting_person_can_be_probed_again_at_any_time(browser, connection, sam):
    i_ran_it(browser, sam)
    later = {"host_permission_attempts": 30, "host_permission_due_at": timezone.now() + timedelta(days=1)}
    UserMatch.objects.filter(pk=sam.pk).update(**later)

    row = row_of(page(browser, "connection", connection.pk), sam)
    i_ran_it(browser, sam)

    sam.refresh_from_db()
    assert 'aria-label="Ask again now about Sam Okafor"' in row
    assert (sam.host_permission_attempts, sam.host_permission_due_at <= timezone.now()) == (0, True)


def test_with_scripts_only_the_row_is_replaced(browser, connection, sam):
    html = i_ran_it(browser, sam, HX_Request="true").content.decode()

    assert "Fix the waiting person." in row_of(html, sam)
    assert "<html" not in html
    assert f"&amp;staff={sam.staff_id}" in html


def test_a_person_of_another_organisation_is_not_found(browser, connection):
    stranger = make_member(make_organization("Cedar Bank"), "Otto Keller")

    response = browser.post(reverse("connection-grant", args=[connection.pk, stranger.pk]))

    assert response.status_code == 404


# --- One script for all ---------------------------------------------------------------------------
@pytest.fixture
def ben(maple, connection) -> UserMatch:
    return make_match(
        connection, make_member(maple, "Ben Osei"), host_permission=HostPermission.DENIED, remote_id="ben-id"
    )


def test_the_dashboard_links_to_one_script_for_all(browser, connection, sam, ben):
    html = page(browser, "connection", connection.pk)

    assert "2 users are not covered by the access policy." in html
    assert f'href="{reverse("connection-script", args=[connection.pk])}">One script for all of them</a>' in html


def test_the_dashboard_has_no_script_link_if_all_have_permission(browser, connection, sam):
    UserMatch.objects.update(host_permission=HostPermission.GRANTED)

    assert "access policy" not in page(browser, "connection", connection.pk)


def test_the_scripts_can_be_copied_and_downloaded(browser, connection, sam, ben):
    html = page(browser, "connection-script", connection.pk)
    download = browser.get(reverse("connection-script", args=[connection.pk]), {"download": "1"})

    assert '<pre class="code-block" id="script-1" tabindex="0">grant ben-id\ngrant sam-id</pre>' in html
    assert '<pre class="code-block" id="script-2" tabindex="0">check ben-id\ncheck sam-id</pre>' in html
    assert html.count('data-copy="#script-') == 2
    assert download.content.decode() == "grant ben-id\ngrant sam-id\ncheck ben-id\ncheck sam-id"
    assert download.headers["Content-Disposition"] == 'attachment; filename="grant.txt"'
    assert download.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_long_script_can_only_be_downloaded(browser, connection, sam, ben, monkeypatch):
    monkeypatch.setattr(views, "MAX_SHOWN", 1)

    html = page(browser, "connection-script", connection.pk)

    assert "The script is too long to be read here. Download it." in html
    assert "grant sam-id" not in html


def test_i_ran_it_for_all_lets_all_of_them_wait(browser, connection, sam, ben):
    response = browser.post(reverse("connection-script", args=[connection.pk]), follow=True)

    assert response.redirect_chain == [(reverse("connection", args=[connection.pk]), 302)]
    assert (
        "2 users are looked at again and again until the access policy has spread. You see it here."
        in response.content.decode()
    )
    assert set(UserMatch.objects.values_list("host_permission", flat=True)) == {HostPermission.WAITING}


def test_without_people_in_need_there_is_no_script(browser, connection):
    html = page(browser, "connection-script", connection.pk)

    assert "Nobody needs the access policy at the moment." in html


# --- without a reload -------------------------------------------------------------------------------
def unsettled(browser: Browser, connection: Connection, *matches: UserMatch) -> str:
    return page(browser, "connection-unsettled", connection.pk, staff=[match.staff_id for match in matches])


@pytest.mark.parametrize(
    ("fields", "is_asked"),
    [
        ({"host_permission": HostPermission.WAITING}, True),
        ({"host_permission": HostPermission.UNKNOWN}, True),
        ({"directory": DirectoryState.UNKNOWN}, True),
        ({"host_permission": HostPermission.DENIED}, False),
        ({"host_permission": HostPermission.GRANTED}, False),
    ],
)
def test_the_page_polls_for_people_without_a_result(browser, connection, sam, fields, is_asked):
    UserMatch.objects.update(**fields)

    html = page(browser, "connection", connection.pk)

    # Ada has not been looked up yet.
    assert f'hx-get="{reverse("connection-unsettled", args=[connection.pk])}?back=' in html
    assert (f"&amp;staff={sam.staff_id}" in html) is is_asked


def test_settled_rows_are_returned_and_the_others_are_polled_again(browser, connection, sam, ben):
    UserMatch.objects.filter(pk=sam.pk).update(host_permission=HostPermission.GRANTED)
    UserMatch.objects.filter(pk=ben.pk).update(host_permission=HostPermission.WAITING)

    html = unsettled(browser, connection, sam, ben)

    assert f'<tr id="user-{sam.staff_id}" hx-swap-oob="true">' in html
    assert f"user-{ben.staff_id}" not in html
    assert re.findall(r"staff=(\d+)", html) == [str(ben.staff_id)]
    assert 'id="tiles" hx-swap-oob="true"' in html


def test_while_no_row_is_settled_nothing_changes(browser, connection, sam):
    UserMatch.objects.update(host_permission=HostPermission.WAITING)

    html = unsettled(browser, connection, sam)

    assert "<tr" not in html
    assert 'id="tiles"' not in html


def test_when_all_rows_are_settled_the_page_stops_polling(browser, connection, sam):
    assert 'class="unsettled"' not in unsettled(browser, connection, sam)


def test_unknown_and_invalid_ids_are_ignored(browser, connection):
    stranger = make_member(make_organization("Cedar Bank"), "Otto Keller")

    html = page(browser, "connection-unsettled", connection.pk, staff=[stranger.pk, "x", "9" * 30])

    assert "<tr" not in html


@pytest.mark.parametrize("how_many", [1, 3])
def test_a_poll_takes_a_constant_number_of_queries(browser, connection, maple, how_many, django_assert_num_queries):
    matches = [
        make_match(connection, member, host_permission=HostPermission.WAITING) for member in make_staff(maple, how_many)
    ]

    with django_assert_num_queries(QUERIES):
        unsettled(browser, connection, *matches)


QUERIES = 6

"""Actions > Disconnect, and the dashboard of a disconnected connection."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations.connections.disconnect import disconnect_connection
from integrations.models import RematchRun, UserMatch
from staff.models import StaffMember, VideoChoice
from tests.factories import make_connection, make_organization
from tests.integrations.meeting_steps import ask, sync
from tests.integrations.pages import messages_of, messages_with_level, page_text

pytestmark = pytest.mark.usefixtures("hosting")


def address(connection):
    return reverse("connection-disconnect", args=[connection.pk])


def dashboard(connection):
    return reverse("connection", args=[connection.pk])


def test_the_menu_leads_to_disconnect(browser, connection):
    html = browser.get(dashboard(connection)).content.decode()

    assert f'<a href="{address(connection)}">Disconnect</a>' in html


def test_the_confirmation_shows_the_consequences_and_what_to_try_first(browser, connection, hosting):
    sync(ask(hosting))
    sync(ask(hosting))
    ask(hosting)

    text = page_text(browser.get(address(connection)))

    assert "try Reauthorize first" in text
    assert "2 upcoming appointments keep their links." in text
    assert "1 appointment still waits for its link and will get none." in text
    # Sam and Ada herself.
    assert "2 people will have no platform for new video appointments until you choose one." in text


def test_disconnect_once_more_disconnects(browser, connection, ada):
    response = browser.post(address(connection))

    connection.refresh_from_db()
    assert (response.status_code, response.url) == (302, reverse("video-calls"))
    assert (connection.status, connection.events.get().actor) == ("disconnected", ada)
    assert messages_of(response) == ["Microsoft Teams is disconnected."]


def test_after_one_of_two_is_disconnected_the_list_shows_the_other(browser, connection):
    make_connection(connection.organization, "other", is_default=False)

    response = browser.post(address(connection))

    assert response.url == reverse("video-calls-all")
    assert messages_of(response) == ["Microsoft Teams is disconnected."]


def test_the_second_of_two_concurrent_disconnects_is_not_a_success(browser, connection, monkeypatch):
    def quicker(connection, actor):
        disconnect_connection(connection, None)
        return disconnect_connection(connection, actor)

    monkeypatch.setattr("integrations.views.disconnect.disconnect_connection", quicker)

    response = browser.post(address(connection))

    assert messages_with_level(response) == [("info", "Microsoft Teams is disconnected already.")]


def test_opening_the_page_disconnects_nothing(browser, connection):
    browser.get(address(connection))

    connection.refresh_from_db()
    assert connection.status == "connected"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_second_of_two_admins_reads_that_it_is_disconnected_already(browser, connection, method):
    disconnect_connection(connection, None)

    response = getattr(browser, method)(address(connection))

    assert response.url == dashboard(connection)
    assert messages_of(response) == ["Microsoft Teams is disconnected already."]


def test_the_old_dashboard_shows_the_actor_and_how_to_connect_again(browser, connection, ada, fake_teams):
    disconnect_connection(connection, ada)

    response = browser.get(dashboard(connection))

    text = page_text(response)
    assert "Microsoft Teams is disconnected. Ada Lovell disconnected it on" in text
    assert f'href="{fake_teams.reconnect_url(connection)}">Connect again</a>' in response.content.decode()
    assert "Actions" not in text
    assert reverse("connection-field", args=[connection.pk]) not in response.content.decode()
    assert 'role="switch"' not in response.content.decode()


def test_without_the_add_on_the_page_does_not_offer_to_connect_again(browser, connection, fake_teams):
    disconnect_connection(connection, None)
    fake_teams.addon = False

    text = page_text(browser.get(dashboard(connection)))

    assert "Connect again" not in text
    assert "Optional add-on. Please contact your Customer Success Team to get started." in text


def test_a_dashboard_that_is_open_elsewhere_reloads(browser, connection):
    disconnect_connection(connection, None)

    response = browser.get(dashboard(connection), headers={"HX-Request": "true"})

    assert (response.headers["HX-Refresh"], response.content) == ("true", b"")


def test_a_switch_pressed_after_the_disconnect_redirects_to_the_dashboard(browser, connection, hosting):
    disconnect_connection(connection, None)

    response = browser.post(
        reverse("connection-toggle", args=[connection.pk, hosting.staff_id]),
        {"on": "false"},
        headers={"HX-Request": "true"},
    )

    assert response.headers["HX-Redirect"] == dashboard(connection)
    assert UserMatch.objects.get().enabled


def test_a_rematch_pressed_after_the_disconnect_starts_nothing(browser, connection):
    disconnect_connection(connection, None)

    response = browser.post(reverse("connection-rematch", args=[connection.pk]))

    assert (response.url, RematchRun.objects.count()) == (dashboard(connection), 0)


def test_another_organisations_connection_is_not_disconnected(browser):
    foreign = make_connection(make_organization("Cedar Bank"), "another")

    response = browser.post(address(foreign))

    foreign.refresh_from_db()
    assert (response.status_code, foreign.status) == (404, "connected")


def test_people_who_chose_the_disconnected_platform_are_counted_there(browser, connection, hosting):
    StaffMember.objects.filter(pk=hosting.staff_id).update(
        video_choice=VideoChoice.CONNECTION, video_connection=connection
    )
    disconnect_connection(connection, None)

    text = page_text(browser.get(dashboard(connection)))

    assert "1 person has chosen it as Video Calls Platform and is not offered for video." in text

"""Change the match field: first a preview, then the change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client as Browser
from django.urls import reverse

from integrations.event_text import event_text
from integrations.matching.match_field import preview_result_of
from integrations.matching.rematch_lease import RUNS_WITH_CHANGES
from integrations.matching.rematch_runs import start_preview, start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.models import (
    Connection,
    ConnectionStatus,
    MatchField,
    RematchRun,
    RematchScope,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from integrations.platforms.values import MatchReason
from staff.models import Organization, StaffMember
from tests.factories import make_connection, make_match, make_member
from tests.integrations.fake_platform import FakePlatform, outage

pytestmark = pytest.mark.usefixtures("fake_teams")


@pytest.fixture
def connection(maple: Organization, ada: StaffMember) -> Connection:
    """A connection that matches by email."""
    connection = make_connection(maple)
    make_match(connection, ada)
    return connection


def choose(browser: Browser, connection: Connection, field: str = "username") -> str:
    address = reverse("connection-field", args=[connection.pk])
    return browser.post(address, {"match_field": field}, follow=True).content.decode()


def finished_preview(browser: Browser, connection: Connection) -> RematchRun:
    choose(browser, connection)
    run = RematchRun.objects.previews().get()
    work_on_run(run.pk)
    run.refresh_from_db()
    return run


def show(browser: Browser, run: RematchRun) -> str:
    address = reverse("connection-field-preview", args=[run.connection_id, run.pk])
    return browser.get(address, follow=True).content.decode()


def press(browser: Browser, name: str, run: RematchRun) -> str:
    return browser.post(reverse(name, args=[run.connection_id, run.pk]), follow=True).content.decode()


def sentence(html: str) -> str:
    found = re.search(r'<strong role="status">(.*?)</strong>', html)
    assert found is not None
    return found[1]


# --- The preview ------------------------------------------------------------------------------------
def test_the_field_has_a_change_link(browser: Browser, connection: Connection) -> None:
    html = browser.get(reverse("connection", args=[connection.pk])).content.decode()

    assert f'href="{reverse("connection-field", args=[connection.pk])}"' in html


def test_the_other_field_is_offered_first(browser: Browser, connection: Connection) -> None:
    html = browser.get(reverse("connection-field", args=[connection.pk])).content.decode()

    chosen = re.findall(r'value="(\w+)"[^>]*checked', html)
    assert chosen == ["username"]


def test_the_field_in_use_is_refused_with_a_sentence(browser: Browser, connection: Connection) -> None:
    html = choose(browser, connection, "email")

    assert "Email is the field that is used already. Choose the other one, or Cancel." in html
    assert RematchRun.objects.count() == 0


def test_the_preview_shows_unchanged_and_changed_people(
    browser: Browser, fake_teams: FakePlatform, maple: Organization, connection: Connection
) -> None:
    fake_teams.knows("ada", remote_id="oid-of-ada@maple.example")
    sam, sky, gus = (make_member(maple, name) for name in ("Sam Okafor", "Sky Moreno", "Gus Guest"))
    for member in (sky, gus):
        make_match(connection, member)
    fake_teams.knows(sam.username or "")
    fake_teams.knows(gus.username or "", reason=MatchReason.GUEST, remote_id="oid-of-gus@maple.example")

    html = show(browser, finished_preview(browser, connection))

    assert sentence(html) == "1 stays, 1 becomes Matched, 1 becomes Unmatched, 1 becomes Forbidden."
    assert "3 users would change" in html


def test_a_person_who_would_match_another_remote_user_is_counted(
    browser: Browser, fake_teams: FakePlatform, connection: Connection
) -> None:
    fake_teams.knows("ada", remote_id="oid-of-another-ada")

    html = show(browser, finished_preview(browser, connection))

    assert sentence(html) == "0 stay, 1 leads to another user."


def test_a_preview_changes_no_match(browser: Browser, connection: Connection) -> None:
    before = UserMatch.objects.values().get()

    run = finished_preview(browser, connection)

    connection.refresh_from_db()
    assert UserMatch.objects.values().get() == before
    assert (run.state, connection.match_field) == (RematchState.SUCCEEDED, MatchField.EMAIL)
    assert connection.events.count() == 0


def test_while_the_preview_runs_the_page_shows_the_progress(browser: Browser, connection: Connection) -> None:
    html = choose(browser, connection)

    assert "Looking your staff up at Microsoft Teams by the field Username: 0 of 1…" in html
    assert 'hx-trigger="every 2s"' in html
    assert "Change to Username" not in html


def test_a_preview_that_waits_during_an_outage_says_so(
    browser: Browser, fake_teams: FakePlatform, connection: Connection
) -> None:
    fake_teams.fail("find", outage())

    html = show(browser, finished_preview(browser, connection))

    assert "The fake platform cannot be reached. It waits, and continues automatically at" in html


def test_a_preview_during_a_rematch_is_refused_with_a_sentence(browser: Browser, connection: Connection) -> None:
    start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)

    html = choose(browser, connection)

    assert "A rematch is under way already" in html
    assert RematchRun.objects.previews().count() == 0


def test_a_rematch_replaces_a_preview(browser: Browser, connection: Connection) -> None:
    choose(browser, connection)

    browser.post(reverse("connection-rematch", args=[connection.pk]))

    preview, rematch = RematchRun.objects.order_by("pk")
    assert (preview.state, rematch.state, rematch.scope) == (
        RematchState.FAILED,
        RematchState.RUNNING,
        RematchScope.ALL,
    )
    assert "The preview was ended, because something else was started." in show(browser, preview)


def test_an_open_preview_is_shown(browser: Browser, connection: Connection) -> None:
    run = finished_preview(browser, connection)

    response = browser.get(reverse("connection-field", args=[connection.pk]))

    assert response.headers["Location"] == reverse("connection-field-preview", args=[connection.pk, run.pk])


# --- The change -------------------------------------------------------------------------------------
def test_the_change_is_recorded_and_rematches_all_staff_by_the_other_field(
    browser: Browser, fake_teams: FakePlatform, ada: StaffMember, connection: Connection
) -> None:
    run = finished_preview(browser, connection)

    press(browser, "connection-field-change", run)
    rematch = RematchRun.objects.get(state=RematchState.RUNNING)
    work_on_run(rematch.pk)

    connection.refresh_from_db()
    event = connection.events.get(kind="field_changed")
    assert connection.match_field == MatchField.USERNAME
    assert (rematch.trigger, rematch.match_field) == (RematchTrigger.FIELD_CHANGED, MatchField.USERNAME)
    assert (event.actor, event_text(event)) == (ada, "From Email to Username.")
    assert fake_teams.queried == [["ada"], ["ada"]]
    assert UserMatch.objects.get().queried_name == "ada"


def test_cancel_discards_the_preview_and_changes_nothing(browser: Browser, connection: Connection) -> None:
    choose(browser, connection)
    run = RematchRun.objects.get()

    press(browser, "connection-field-cancel", run)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.dismissed_at is None) == (RematchState.FAILED, False)
    assert connection.match_field == MatchField.EMAIL


@pytest.mark.parametrize("trouble", ["old", "unfinished", "cancelled"])
def test_an_outdated_preview_changes_nothing(browser: Browser, connection: Connection, trouble: str) -> None:
    run = finished_preview(browser, connection)
    changed: dict[str, object] = {
        "old": {"finished_at": Now() - timedelta(minutes=61)},
        "unfinished": {"state": RematchState.FAILED},
        "cancelled": {"dismissed_at": Now()},
    }[trouble]  # type: ignore[assignment]
    RematchRun.objects.filter(pk=run.pk).update(**changed)

    html = press(browser, "connection-field-change", run)

    connection.refresh_from_db()
    assert "This preview is unfinished, was cancelled, or is more than an hour old." in html
    assert connection.match_field == MatchField.EMAIL


def test_a_change_during_a_rematch_is_refused_with_a_sentence(browser: Browser, connection: Connection) -> None:
    run = finished_preview(browser, connection)
    start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)

    html = press(browser, "connection-field-change", run)

    connection.refresh_from_db()
    assert "A rematch is under way already" in html
    assert (connection.match_field, connection.events.count()) == (MatchField.EMAIL, 0)


def test_an_unhealthy_connection_keeps_its_field(browser: Browser, connection: Connection) -> None:
    run = finished_preview(browser, connection)
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    html = press(browser, "connection-field-change", run)

    assert "Reauthorize it first." in html


def test_results_for_the_previous_field_are_not_written(fake_teams: FakePlatform, connection: Connection) -> None:
    run = start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    before = UserMatch.objects.values().get()
    fake_teams.during("find", lambda: Connection.objects.update(match_field=MatchField.USERNAME))

    work_on_run(run.pk)

    assert UserMatch.objects.values().get() == before


def test_a_disconnect_ends_a_preview(fake_teams: FakePlatform, connection: Connection) -> None:
    run = start_preview(connection, MatchField.USERNAME, started_by=None)
    Connection.objects.filter(pk=connection.pk).update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, fake_teams.calls["find"]) == (RematchState.FAILED, 0)


def test_later_rematches_do_not_change_the_result_of_a_preview(
    browser: Browser, connection: Connection, ada: StaffMember
) -> None:
    preview = finished_preview(browser, connection)
    before = preview_result_of(preview)

    for _ in range(RUNS_WITH_CHANGES + 1):
        work_on_run(start_run(connection, trigger=RematchTrigger.ADMIN, started_by=ada).pk)

    assert preview_result_of(preview) == before

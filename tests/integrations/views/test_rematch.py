"""Actions > Rematch users: progress and result on the dashboard."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.event_text import event_text
from integrations.matching.rematch_worker import work_on_run
from integrations.models import (
    Connection,
    DirectoryState,
    MatchChange,
    MatchStatus,
    RematchRun,
    RematchScope,
    RematchState,
    RematchTrigger,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import MatchReason, PlatformError
from staff.models import Organization, Role, StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_run, make_staff
from tests.integrations.fake_platform import FakePlatform, throttled
from tests.messages import message

pytestmark = pytest.mark.usefixtures("fake_teams")

DONE = "All users have been rematched."


def dashboard(browser: Browser, connection: Connection) -> str:
    return browser.get(reverse("connection", args=[connection.pk])).content.decode()


def press(browser: Browser, name: str, *args: int) -> str:
    """Press a button and return the next page."""
    return browser.post(reverse(name, args=args), follow=True).content.decode()


def announced(html: str) -> str:
    """Return the content of the status region of the rematch."""
    found = re.search(r'<div id="run-sentence" role="status">(.*?)</div>', html, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def finished_run(browser: Browser, connection: Connection) -> RematchRun:
    press(browser, "connection-rematch", connection.pk)
    run = RematchRun.objects.get(state=RematchState.RUNNING)
    work_on_run(run.pk)
    run.refresh_from_db()
    return run


# --- Started ----------------------------------------------------------------------------------------
def test_rematch_all_users_returns_to_the_dashboard_at_once(browser: Browser, connection: Connection) -> None:
    response = browser.post(reverse("connection-rematch", args=[connection.pk]))

    run = RematchRun.objects.get()
    assert response.headers["Location"] == reverse("connection", args=[connection.pk])
    assert (run.trigger, run.scope, run.state) == (
        RematchTrigger.ADMIN,
        RematchScope.ALL,
        RematchState.RUNNING,
    )


def test_a_second_admin_reads_that_a_rematch_is_under_way_and_sees_its_progress(
    browser: Browser, maple: Organization, connection: Connection
) -> None:
    press(browser, "connection-rematch", connection.pk)
    second = Browser()
    second.force_login(make_member(maple, "Bea Admin", Role.ADMIN))

    html = press(second, "connection-rematch", connection.pk)

    assert "A rematch is under way already" in html
    assert "Matching your staff with Microsoft Teams users: 0 of 1…" in html
    assert RematchRun.objects.count() == 1


# --- How far it is ----------------------------------------------------------------------------------
def test_the_progress_shows_the_rate_and_the_time_left(browser: Browser, connection: Connection) -> None:
    make_run(
        connection,
        state=RematchState.RUNNING,
        total=1000,
        done=400,
        claimed_done=200,
        claimed_at=timezone.now() - timedelta(seconds=10),
    )

    html = dashboard(browser, connection)

    assert "Matching your staff with Microsoft Teams users: 400 of 1,000…" in html
    assert re.search(r"(19|20) people a second, about 3[01] seconds left", html)
    assert announced(html) == ""


def test_the_progress_shows_a_wait_that_ends_automatically(
    browser: Browser, fake_teams: FakePlatform, connection: Connection
) -> None:
    fake_teams.fail("find", throttled(600))
    press(browser, "connection-rematch", connection.pk)
    work_on_run(RematchRun.objects.get().pk)

    html = dashboard(browser, connection)

    assert "The fake platform is busy. It waits, and continues automatically at" in html
    assert "people a second" not in html


def test_the_panel_polls_until_the_end(browser: Browser, connection: Connection) -> None:
    run = make_run(connection, state=RematchState.RUNNING, total=10, done=5)
    address = reverse("connection-rematch-progress", args=[connection.pk])

    under_way = browser.get(address)
    RematchRun.objects.filter(pk=run.pk).update(state=RematchState.SUCCEEDED)
    ended = browser.get(address)

    assert 'hx-trigger="every 2s"' in under_way.content.decode()
    assert "HX-Trigger" not in under_way.headers
    assert "every 2s" not in ended.content.decode()
    assert DONE in ended.content.decode()
    assert "rematched" in ended.headers["HX-Trigger"]


def test_no_sentence_is_announced_during_a_rematch(browser: Browser, connection: Connection) -> None:
    make_run(connection, state=RematchState.RUNNING, total=10, done=5)

    html = browser.get(reverse("connection-rematch-progress", args=[connection.pk])).content.decode()

    assert ('role="status"' in html, "aria-live" in html, "run-sentence" in html) == (False, False, False)


# --- How it ended -----------------------------------------------------------------------------------
def test_success_is_announced_with_counts_and_changes(
    browser: Browser, fake_teams: FakePlatform, maple: Organization, connection: Connection
) -> None:
    sam = make_member(maple, "Sam Okafor")
    make_match(connection, sam)
    fake_teams.knows("ada@maple.example")

    finished_run(browser, connection)
    html = dashboard(browser, connection)

    assert announced(html) == DONE
    rows = re.findall(r'<tr><th scope="row">.*?>([^<]+)</span></th><td>(\d+)</td><td>(\d+)</td></tr>', html)
    assert rows == [
        ("Checking…", "1", "0"),
        ("Matched", "1", "1"),
        ("Unmatched", "0", "1"),
        ("Forbidden", "0", "0"),
    ]
    assert "2 users changed" in html


def test_the_result_is_shown_until_it_is_dismissed(browser: Browser, connection: Connection) -> None:
    run = make_run(connection)

    before = announced(dashboard(browser, connection))
    press(browser, "connection-rematch-dismiss", connection.pk, run.pk)
    after = announced(dashboard(browser, connection))

    assert (before, after) == (DONE, "")


def test_a_failed_run_shows_the_reason_and_its_progress(
    browser: Browser, fake_teams: FakePlatform, maple: Organization, connection: Connection
) -> None:
    make_staff(maple, 3)
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, message("Report request 7."), request_id="7"))

    finished_run(browser, connection)
    html = dashboard(browser, connection)

    assert announced(html) == (
        "The rematch did not finish: 2 of 4 users were looked up. Report request 7. Everybody else keeps the status "
        "from before."
    )
    assert DONE not in html


def test_a_failed_run_is_in_the_history(
    browser: Browser, fake_teams: FakePlatform, ada: StaffMember, connection: Connection
) -> None:
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, message("Report request 7.")))

    finished_run(browser, connection)

    event = connection.events.get()
    assert (event.kind, event.actor) == ("rematch_failed", ada)
    assert event_text(event) == "0 of 1 users were looked up. Report request 7."


@pytest.mark.parametrize("people", [1, 3])
def test_the_result_takes_the_same_queries_for_any_number_of_people(
    browser: Browser,
    maple: Organization,
    connection: Connection,
    django_assert_num_queries: DjangoAssertNumQueries,
    people: int,
) -> None:
    run = make_run(connection)
    for member in make_staff(maple, people):
        MatchChange.objects.create(run=run, staff=member, before="checking", after="matched")
    address = reverse("connection-rematch-progress", args=[connection.pk])
    browser.get(address)

    with django_assert_num_queries(8):
        browser.get(address)


# --- Only the failed --------------------------------------------------------------------------------
def test_only_the_failed_are_looked_up_again(
    browser: Browser, fake_teams: FakePlatform, maple: Organization, connection: Connection
) -> None:
    sam, gus = make_member(maple, "Sam Okafor"), make_member(maple, "Gus Guest")
    fake_teams.knows("ada@maple.example")
    fake_teams.knows(gus.email, reason=MatchReason.GUEST)
    run = finished_run(browser, connection)
    fake_teams.knows(sam.email)

    press(browser, "connection-rematch-failed", connection.pk, run.pk)
    again = RematchRun.objects.get(state=RematchState.RUNNING)
    work_on_run(again.pk)

    assert fake_teams.queried[-1] == [sam.email, gus.email]
    assert (again.scope, again.total) == (RematchScope.FAILED, 2)
    assert announced(dashboard(browser, connection)) == "2 users have been rematched."


def test_people_not_reached_by_a_failed_run_count_as_failed(
    browser: Browser, fake_teams: FakePlatform, maple: Organization, ada: StaffMember, connection: Connection
) -> None:
    reached, missed = make_staff(maple, 2)
    for member in (ada, reached, missed):
        make_match(connection, member)
        fake_teams.knows(member.email)
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, message("Report request 7.")))
    run = finished_run(browser, connection)

    press(browser, "connection-rematch-failed", connection.pk, run.pk)
    again = RematchRun.objects.get(state=RematchState.RUNNING)
    work_on_run(again.pk)

    assert fake_teams.queried[-1] == [missed.email]


def test_rematch_only_the_failed_is_not_offered_if_all_are_matched(browser: Browser, connection: Connection) -> None:
    make_run(connection, counts_after={"checking": 0, "matched": 7, "unmatched": 0, "forbidden": 0})

    html = dashboard(browser, connection)

    assert (announced(html), "Rematch only the failed" in html) == (DONE, False)


@pytest.mark.parametrize(
    ("directory", "sentence"),
    [
        (
            DirectoryState.UNKNOWN,
            "The platform is being asked about each of them; the table shows the answers as they come.",
        ),
        (
            DirectoryState.MATCHED,
            "The platform has been asked about each of them; the table shows the answers.",
        ),
    ],
)
def test_the_page_stops_announcing_lookups_once_the_results_are_there(
    browser: Browser, connection: Connection, ada: StaffMember, directory: DirectoryState, sentence: str
) -> None:
    make_match(connection, ada, directory=directory)
    make_run(connection, counts_after={"checking": 1, "matched": 0, "unmatched": 0, "forbidden": 0})

    assert sentence in dashboard(browser, connection)


def test_another_organisations_run_does_not_exist(browser: Browser, connection: Connection) -> None:
    foreign = make_run(make_connection(make_organization("Cedar Bank")))

    codes = [
        browser.post(reverse("connection-rematch-failed", args=[connection.pk, foreign.pk])).status_code,
        browser.post(reverse("connection-rematch-dismiss", args=[connection.pk, foreign.pk])).status_code,
        browser.get(reverse("connection-rematch-changes", args=[connection.pk, foreign.pk])).status_code,
    ]

    assert codes == [404, 404, 404]


# --- The file ---------------------------------------------------------------------------------------
def lines_of(browser: Browser, run: RematchRun) -> list[list[str]]:
    response = browser.get(reverse("connection-rematch-changes", args=[run.connection_id, run.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_the_file_lists_previous_and_new_status_with_the_reason(
    browser: Browser, maple: Organization, connection: Connection
) -> None:
    sam = make_member(maple, "Sam Okafor", username="sam")
    run = make_run(connection)
    MatchChange.objects.create(
        run=run, staff=sam, before="matched", after="unmatched", queried_name=sam.email, reason="not_found"
    )

    lines = lines_of(browser, run)

    assert lines == [
        ["Name", "Email", "Username", "From", "To", "Microsoft Teams user", "Why"],
        ["Sam Okafor", "sam@maple.example", "sam", "Matched", "Unmatched", "", "Fix not_found."],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_value_in_the_file_is_a_formula(
    browser: Browser, maple: Organization, connection: Connection, start: str
) -> None:
    sam = make_member(maple, "Sam Okafor")
    # An expression is stored as it is, like rows from before usernames were cleaned.
    StaffMember.objects.filter(pk=sam.pk).update(username=Concat(Value(start), Value("cmd|' /C calc'!A0")))
    run = make_run(connection)
    MatchChange.objects.create(run=run, staff=sam, before="checking", after="matched")

    [_heading, line] = lines_of(browser, run)

    assert line[2] == f"'{start}cmd|' /C calc'!A0"


def test_unchanged_people_are_not_in_the_file(browser: Browser, maple: Organization, connection: Connection) -> None:
    run = make_run(connection)
    same, other = make_staff(maple, 2)
    MatchChange.objects.create(run=run, staff=same, before="matched", after="matched")
    MatchChange.objects.create(
        run=run,
        staff=other,
        before="matched",
        after="matched",
        is_other_user=True,
        remote_user_name="x@contoso.example",
    )

    lines = lines_of(browser, run)

    assert [line[1] for line in lines[1:]] == [other.email]
    assert lines[1][-2:] == ["x@contoso.example", "Another Microsoft Teams user than before."]


def test_a_person_matched_to_another_remote_user_counts_as_changed(
    browser: Browser, fake_teams: FakePlatform, ada: StaffMember, connection: Connection
) -> None:
    make_match(connection, ada, remote_id="oid-1")
    fake_teams.knows(ada.email, remote_id="oid-2")

    run = finished_run(browser, connection)

    change = run.changes.get()
    assert (change.before, change.after, change.is_other_user) == (
        MatchStatus.MATCHED,
        MatchStatus.MATCHED,
        True,
    )


def test_a_new_remedy_of_a_person_still_unmatched_is_not_a_change(
    browser: Browser, ada: StaffMember, connection: Connection
) -> None:
    make_match(connection, ada, directory=DirectoryState.UNMATCHED, reason=MatchReason.NOT_FOUND, remote_id="")

    run = finished_run(browser, connection)

    assert run.changes.count() == 0

"""Drift findings: the notice on the dashboard and the list on Health and history."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.html import strip_tags

from integrations.models import Connection, DriftFinding, DriftWatch
from integrations.monitoring.drift_report import NAMED, PER_PAGE, notice_of
from tests.factories import make_match, make_member, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


def find(connection: Connection, name: str = "Ana Silva", **fields: object) -> DriftFinding:
    """Add a matched staff member with a finding that a rematch would make Unmatched."""
    member = make_member(connection.organization, name)
    make_match(connection, member)
    fields = {"after": "unmatched", "reason": "not_found", "meetings": 4, **fields}
    return DriftFinding.objects.create(connection=connection, staff=member, **fields)


def notice(browser: Browser, connection: Connection) -> str:
    """Return the text of the notice on the dashboard; "" without one."""
    html = browser.get(reverse("connection", args=[connection.pk])).content.decode()
    _before, _tag, after = html.partition('<section class="alert alert-warning drift"')
    return " ".join(strip_tags("<section" + after.partition("</section>")[0]).split()) if after else ""


def health(browser: Browser, connection: Connection, **query: int) -> str:
    html = browser.get(reverse("connection-health", args=[connection.pk]), query).content.decode()
    _before, _tag, after = html.partition('id="drift">')
    return " ".join(strip_tags(after.partition("</section>")[0]).split())


def test_the_dashboard_shows_expected_changes_and_booked_appointments(browser, connection):
    find(connection)

    text = notice(browser, connection)

    assert "Ana Silva would now be Unmatched and has 4 video appointments this week." in text
    assert text.endswith("Rematch users")


def test_without_findings_the_dashboard_shows_no_notice(browser, connection):
    assert notice(browser, connection) == ""


def test_the_notice_has_the_same_action_as_the_menu(browser, connection):
    find(connection)

    html = browser.get(reverse("connection", args=[connection.pk])).content.decode()

    assert f'<a class="btn" href="{reverse("connection-rematch", args=[connection.pk])}">Rematch users</a>' in html


def test_the_notice_names_the_few_with_the_most_appointments(browser, connection):
    for number in range(NAMED + 12):
        find(connection, f"Ana{number:02d} Silva", meetings=number)

    text = notice(browser, connection)

    assert [name in text for name in ("Ana14", "Ana13", "Ana12", "Ana11")] == [True, True, True, False]
    assert "… and 12 others." in text


def test_a_person_without_appointments_is_named_without_a_number(browser, connection):
    find(connection, after="forbidden", reason="disabled", meetings=0)

    assert "Ana Silva would now be Forbidden." in notice(browser, connection)


def test_a_person_who_would_match_another_user_is_named_with_the_account(browser, connection):
    find(connection, after="matched", reason="", is_other_user=True, remote_user_name="ana@maple.example")

    assert "would now be matched with another account (ana@maple.example) and has 4" in notice(browser, connection)


def test_former_staff_are_not_named(browser, connection):
    finding = find(connection)
    finding.staff.is_active = False
    finding.staff.save()

    assert notice(browser, connection) == ""


def test_names_are_escaped(browser, connection):
    find(connection, "<b>Ana</b> Silva")

    html = browser.get(reverse("connection", args=[connection.pk])).content.decode()

    assert "&lt;b&gt;Ana&lt;/b&gt; Silva would now be Unmatched" in html


def test_health_and_history_shows_reason_and_remedy(browser, connection):
    find(connection, reason="alias", hint="ana.silva@maple.example")

    text = health(browser, connection)

    assert "Ana Silva" in text
    assert "UnmatchedFix alias. 4" in text


def test_health_and_history_lists_all_findings_in_pages(browser, connection):
    members = make_staff(connection.organization, PER_PAGE + 5)
    DriftFinding.objects.bulk_create(
        DriftFinding(connection=connection, staff=member, after="unmatched", reason="not_found") for member in members
    )

    text = health(browser, connection, drift=2)

    assert f"{PER_PAGE + 1}–{PER_PAGE + 5} of {PER_PAGE + 5}" in text


def test_findings_from_before_a_disconnect_are_hidden_afterwards(browser, connection):
    find(connection)
    Connection.objects.update(status="disconnected", is_default=False)

    assert health(browser, connection) == ""


@pytest.mark.parametrize(
    ("finished_at", "words"),
    [
        (None, "not yet; it is done at night"),
        (datetime(2026, 11, 24, 2, 5, tzinfo=UTC), "24 Nov 2026, 02:05"),
    ],
)
def test_health_and_history_shows_the_time_of_the_last_check(browser, connection, finished_at, words):
    DriftWatch.objects.create(connection=connection, finished_at=finished_at)

    html = browser.get(reverse("connection-health", args=[connection.pk])).content.decode()

    assert f"<dt>Looked for changes of users</dt><dd>{words}</dd>" in html


def test_health_and_history_has_no_such_section_without_findings(browser, connection):
    assert health(browser, connection) == ""


@pytest.mark.parametrize("people", [1, 3])
def test_findings_cost_the_dashboard_one_query(browser, connection, people, django_assert_num_queries):
    for number in range(people):
        find(connection, f"Ana{number} Silva")

    with django_assert_num_queries(1):
        drift = notice_of(connection)

    assert drift is not None
    assert len(drift.sentences) == people

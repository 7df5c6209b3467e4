"""Latest comparison of meetings and its findings on Health and history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, Finding, FindingKind, Meeting, Reconciliation
from staff.models import Role
from tests.cast import signed_in
from tests.factories import (
    make_appointment,
    make_client,
    make_connection,
    make_member,
    make_organization,
    make_service,
)
from tests.integrations.views.test_health import section
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]

STARTS = datetime(2099, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def connected() -> Connection:
    return make_connection(make_organization())


@pytest.fixture
def browser(connected: Connection) -> Browser:
    return signed_in(make_member(connected.organization, "Ada Lovell", Role.ADMIN))


def make_meeting(connected: Connection, **fields: Any) -> Meeting:
    host = make_member(connected.organization, "Sam Okafor")
    return Meeting.objects.create(
        organization=connected.organization,
        connection=connected,
        host=host,
        organizer_id="an-oid",
        subject="Mortgage review",
        starts_at=STARTS,
        ends_at=STARTS + timedelta(minutes=30),
        **fields,
    )


def shown(browser: Browser, connected: Connection) -> str:
    html = browser.get(reverse("connection-health", args=[connected.pk])).content.decode()
    return section(html, "comparison-heading")


def test_before_the_first_comparison_the_page_explains_it(browser, connected):
    assert shown(browser, connected) == (
        "Meetings compared Every night Coconut asks Microsoft Teams about the meetings that begin within a week or "
        "within a day, each at most twice. What was deleted or changed there is put right."
    )


def test_the_last_comparison_is_summarised_in_a_sentence(browser, connected):
    Reconciliation.objects.create(
        connection=connected,
        finished_at=timezone.now(),
        inspected=1214,
        recreated=2,
        restored=1,
        repaired=3,
        failed=1,
        reason=message("No policy covers Sam."),
    )

    assert (
        "1,214 meetings were compared with Microsoft Teams. 2 were missing there and made again. "
        "1 had been changed there and was put back. 3 did not agree with their appointments: that is fixed. "
        "1 could not be compared: No policy covers Sam."
    ) in shown(browser, connected)


def test_a_comparison_under_way_shows_the_number_left(browser, connected):
    Reconciliation.objects.create(connection=connected, inspected=5)
    later = timezone.now() + timedelta(minutes=1)
    make_meeting(connected, week_check_at=later, due_at=later)

    assert "under way; Microsoft Teams is still to be asked about 1 meeting." in shown(browser, connected)


def test_a_finding_links_to_the_appointment(browser, connected):
    Reconciliation.objects.create(connection=connected, finished_at=timezone.now(), inspected=1)
    meeting = make_meeting(connected)
    service = make_service(connected.organization)
    appointment = make_appointment(service, meeting.host, make_client(connected.organization), STARTS, meeting=meeting)
    Finding.objects.create(
        connection=connected,
        meeting=meeting,
        kind=FindingKind.RECREATED,
        params={"platform": "Microsoft Teams"},
    )

    html = browser.get(reverse("connection-health", args=[connected.pk])).content.decode()

    assert "Mortgage review for Cleo Brandt Mon 2 Mar 2099" in section(html, "comparison-heading")
    assert f'<a href="{reverse("appointment", args=[appointment.pk])}">Mortgage review for Cleo Brandt' in html


def test_old_findings_are_not_shown(browser, connected):
    Reconciliation.objects.create(connection=connected, finished_at=timezone.now())
    Finding.objects.create(
        connection=connected,
        meeting=make_meeting(connected),
        kind=FindingKind.ORPHANED,
        params={"platform": "Microsoft Teams"},
        at=timezone.now() - timedelta(days=31),
    )

    assert "still had this cancelled meeting" not in shown(browser, connected)

"""The command `reconcile_meetings`."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.models import Connection, ConnectionStatus, Finding, Meeting, Reconciliation
from tests.factories import make_organization
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.meeting_steps import HALF_AN_HOUR, ask, make_hosting, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unowned")]


@pytest.fixture
def meeting(fake_teams: FakePlatform) -> Meeting:
    """A meeting that vanished from the platform five days before its start."""
    start = timezone.now().replace(microsecond=0) + timedelta(days=5)
    meeting = sync(ask(make_hosting(), starts_at=start, ends_at=start + HALF_AN_HOUR))
    Meeting.objects.update(claimed_at=timezone.now() - timedelta(days=30))
    fake_teams.meetings.clear()
    fake_teams.calls.clear()
    return meeting


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reconcile_meetings", *arguments, stdout=out)
    return out.getvalue()


def test_it_repairs_everything_at_once_and_prints_the_result(meeting: Meeting) -> None:
    said = run()

    meeting.refresh_from_db()
    assert said == (
        "Maple Credit Union, Microsoft Teams: 1 meeting was compared with Microsoft Teams. "
        "1 was missing there and made again.\n"
    )
    assert meeting.join_url == "https://meet.example/2"


def test_a_second_run_reads_nothing(meeting: Meeting, fake_teams: FakePlatform) -> None:
    run()
    fake_teams.calls.clear()

    said = run()

    assert said == "Maple Credit Union, Microsoft Teams: 0 meetings were compared with Microsoft Teams.\n"
    assert fake_teams.calls == Counter()


def test_a_dry_run_changes_nothing_and_calls_no_platform(meeting: Meeting, fake_teams: FakePlatform) -> None:
    said = run("--dry-run")

    meeting.refresh_from_db()
    assert said == "Maple Credit Union, Microsoft Teams: 1 would be read.\n"
    assert (meeting.week_check_at, meeting.due_at, fake_teams.calls) == (None, None, Counter())
    assert (Reconciliation.objects.count(), Finding.objects.count()) == (0, 0)


def test_workers_read_the_meetings_that_the_platform_delays(meeting: Meeting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("read_meeting", outage())

    assert "Some have no answer yet" in run()


def test_it_can_be_limited_to_one_organisation(meeting: Meeting, fake_teams: FakePlatform) -> None:
    make_organization("Cedar Bank")

    said = run("--organization", "cedar")

    assert (said, fake_teams.calls) == ("There is no connection that works.\n", Counter())


def test_an_unknown_organisation_is_refused_with_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match="There is no organisation “maple”"):
        run("--organization", "maple")


def test_a_connection_without_a_sign_in_is_skipped(meeting: Meeting, fake_teams: FakePlatform) -> None:
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    assert (run(), fake_teams.calls) == ("There is no connection that works.\n", Counter())

"""Counters of meeting syncs."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from integrations.models import Meeting
from integrations.platforms.failures import ErrorKind
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.meeting_steps import ask, make_hosting, sync

pytestmark = pytest.mark.django_db(transaction=True)


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("coconut_meeting_syncs_total", {"outcome": outcome}) or 0.0


def test_a_successful_attempt_is_counted_as_agreed(fake_teams: FakePlatform) -> None:
    before = counted("agreed")

    sync(ask(make_hosting()))

    assert counted("agreed") == before + 1


@pytest.mark.parametrize("error", [outage(), throttled(1)], ids=lambda error: error.kind)
def test_a_failed_attempt_is_counted_by_its_kind(fake_teams: FakePlatform, error) -> None:
    fake_teams.fail("create_meeting", error)
    before = counted(error.kind)

    sync(ask(make_hosting()))

    assert counted(error.kind) == before + 1


def test_an_attempt_that_lost_its_lease_is_counted_as_such(
    fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = ask(make_hosting())
    fake_teams.during("create_meeting", lambda: Meeting.objects.update(lease_token=None))
    before = counted("taken_over"), counted(ErrorKind.BUG)

    sync(meeting)

    assert (counted("taken_over"), counted(ErrorKind.BUG)) == (before[0] + 1, before[1])

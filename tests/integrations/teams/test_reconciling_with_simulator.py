"""Reconciliation against the simulated Microsoft."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import hooks
from integrations.hosting.eligibility import Hosting
from integrations.meetings.reconciliation import reconcile
from integrations.meetings.reconciliation_report import finish_reconciliations, summary
from integrations.models import Connection, Finding, Meeting
from integrations.platforms.values import MeetingSpec
from integrations.teams.platform import Teams
from simulator import people
from tests.factories import make_connection, make_match, make_member
from tests.integrations.backdating import work
from tests.integrations.meeting_steps import HALF_AN_HOUR, ask, sync
from tests.integrations.teams.test_with_simulator import graph_requests, live_meetings, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


class Tests:
    """Own every meeting."""

    def owned(self, meeting_ids):
        return set(meeting_ids)

    def repair(self, connection):
        return 0

    def follow_organizers(self, meeting_ids):
        return 0


@pytest.fixture
def hosting(maple, settings, simulator, monkeypatch) -> Hosting:
    """Return Sam's hosting on a service account connection of the simulator."""
    monkeypatch.setattr(hooks.meeting_owners, "_hooks", [Tests()])
    settings.MICROSOFT_READ_TIMEOUT_SECONDS = 2.0
    connection = make_connection(maple)
    oid = simulator.person(people.SERVICE_ACCOUNT)["id"]
    sign_in(connection, simulator.user_token(people.SERVICE_ACCOUNT), account_oid=oid)
    sam = simulator.person("sam@maple.example")
    match = make_match(connection, make_member(maple), remote_id=sam["id"], remote_user_name=sam["upn"])
    return Hosting(match.staff_id, connection, match)


def make_ready(hosting: Hosting, subject: str) -> Meeting:
    """Create a meeting that was booked a month ago and starts in five days."""
    start = timezone.now() + timedelta(days=5)
    meeting = sync(ask(hosting, subject=subject, starts_at=start, ends_at=start + HALF_AN_HOUR))
    Meeting.objects.update(claimed_at=timezone.now() - timedelta(days=30))
    return meeting


def spec_of(meeting: Meeting, **changes) -> MeetingSpec:
    defaults = {
        "key": meeting.pk,
        "organizer_id": meeting.organizer_id,
        "subject": meeting.subject,
        "starts_at": meeting.starts_at,
        "ends_at": meeting.ends_at,
    }
    return MeetingSpec(**{**defaults, **changes})


def test_a_synced_meeting_is_read_once_and_left_alone(hosting, simulator):
    make_ready(hosting, "Mortgage  review")
    before = len(graph_requests(simulator))

    reconcile(hosting.connection)
    work()

    asked = [method for method, _ in graph_requests(simulator)[before:]]
    assert (asked, Finding.objects.count()) == (["GET"], 0)


def test_a_deleted_meeting_is_created_again_and_a_changed_one_restored(hosting, simulator):
    agrees, deleted, changed = (make_ready(hosting, name) for name in ("Agrees", "Deleted", "Changed"))
    link = deleted.join_url
    teams, connection = Teams(), Connection.objects.get()
    foreign = teams.create_meeting(connection, spec_of(agrees, key="00000000-0000-4000-8000-00000000f0e1"))
    teams.delete_meeting(connection, deleted.organizer_id, deleted.remote_id)
    later = changed.starts_at + timedelta(hours=3)
    teams.update_meeting(connection, changed.remote_id, spec_of(changed, starts_at=later, ends_at=later + HALF_AN_HOUR))

    run = reconcile(connection)
    work()
    finish_reconciliations()

    run.refresh_from_db()
    deleted.refresh_from_db()
    held = {meeting["subject"]: meeting for meeting in live_meetings(simulator) if meeting["id"] != foreign.remote_id}
    assert sorted(held) == ["Agrees", "Changed", "Deleted"]
    assert (deleted.remote_id, deleted.join_url != link) == (held["Deleted"]["id"], True)
    assert teams.read_meeting(connection, changed.organizer_id, changed.remote_id).starts_at == (
        changed.starts_at.replace(microsecond=0)
    )
    assert teams.read_meeting(connection, agrees.organizer_id, foreign.remote_id) == foreign
    assert summary(run) == (
        "3 meetings were compared with Microsoft Teams. 1 was missing there and made again. "
        "1 had been changed there and was put back."
    )

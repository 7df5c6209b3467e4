"""Let days pass by moving rows into the past: the database's clock can't be set."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from integrations.meetings.reconciliation import reconcile_everything
from integrations.meetings.reconciliation_report import finish_reconciliations
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Finding, HostPause, Meeting, Reconciliation

_MEETING_TIMES = [
    "starts_at",
    "ends_at",
    "due_at",
    "enqueued_at",
    "claimed_at",
    "lease_until",
    "recheck_at",
    "week_check_at",
    "day_check_at",
    "created_at",
]


def pass_time(passed: timedelta) -> None:
    """Move all times into the past."""
    Meeting.objects.update(**{column: F(column) - passed for column in _MEETING_TIMES})
    Reconciliation.objects.update(started_at=F("started_at") - passed, finished_at=F("finished_at") - passed)
    Finding.objects.update(at=F("at") - passed)
    Connection.objects.update(paused_until=F("paused_until") - passed, probe_at=F("probe_at") - passed)
    HostPause.objects.update(paused_until=F("paused_until") - passed)


def work() -> None:
    """Sync all meetings that are due, as workers do, without waiting for the spread over the night."""
    Meeting.objects.filter(due_at__gt=Now(), error_kind="").update(due_at=Now())
    for meeting_id in list(Meeting.objects.due().values_list("pk", flat=True)):
        sync_meeting(meeting_id)


def night() -> None:
    """Let a day pass, then run the nightly work of beat and workers."""
    pass_time(timedelta(days=1))
    reconcile_everything()
    work()
    finish_reconciliations()


def in_days(meeting: Meeting, days: float, *, claimed_days_ago: float = 30) -> Meeting:
    """Make the meeting start in `days` days, created long ago."""
    rows = Meeting.objects.filter(pk=meeting.pk)
    start = Now() + timedelta(days=days)
    rows.update(
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
        claimed_at=Now() - timedelta(days=claimed_days_ago),
        created_at=Now() - timedelta(days=claimed_days_ago),
    )
    meeting.refresh_from_db()
    return meeting

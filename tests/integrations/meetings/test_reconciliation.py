"""Comparison of meetings with the platform: at most two reads of each, and repair of differences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.disconnect import disconnect_connection
from integrations.event_text import event_text
from integrations.hosting.eligibility import Hosting
from integrations.meetings import reconciliation, reconciliation_report, requests
from integrations.meetings.reconciliation import reconcile, reconcile_everything
from integrations.meetings.reconciliation_report import finish_reconciliations, summary
from integrations.models import (
    Connection,
    ConnectionEvent,
    ConnectionStatus,
    EventKind,
    Finding,
    Meeting,
    Reconciliation,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from tests.factories import make_connection, make_organization
from tests.integrations.backdating import in_days, night, pass_time, work
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.flaky_platform import Killed
from tests.integrations.meeting_steps import HALF_AN_HOUR, ask, later, move, sync
from tests.messages import message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unowned")]


def make_ready(hosting: Hosting, *, days: float) -> Meeting:
    """Create a meeting on both sides, long ago, that starts in `days` days."""
    start = timezone.now().replace(microsecond=0) + timedelta(days=days)
    meeting = sync(ask(hosting, starts_at=start, ends_at=start + HALF_AN_HOUR))
    Meeting.objects.filter(pk=meeting.pk).update(
        claimed_at=timezone.now() - timedelta(days=60), created_at=timezone.now() - timedelta(days=60)
    )
    return meeting


def reads(fake: FakePlatform) -> int:
    return fake.calls["read_meeting"]


def findings() -> list[tuple[str, str]]:
    return [(finding.kind, str(finding.message)) for finding in Finding.objects.order_by("pk")]


def reconcile_and_work(connection: Connection) -> Reconciliation:
    run = reconcile(connection)
    work()
    finish_reconciliations()
    run.refresh_from_db()
    return run


# --- when a meeting is read -------------------------------------------------------------------------
@pytest.mark.parametrize(("booked_ahead", "expected"), [(30, 2), (8, 2), (7.5, 2), (6, 1), (3, 1), (1.5, 1), (0.9, 0)])
def test_a_meeting_is_read_a_week_and_a_day_before_its_start_unless_it_was_created_since(
    hosting: Hosting, fake_teams: FakePlatform, booked_ahead: float, expected: int
) -> None:
    """The remote meetings age with the rows, so that both sides stay in sync."""
    meeting = in_days(sync(ask(hosting)), booked_ahead, claimed_days_ago=0)
    fake_teams.calls.clear()

    for _ in range(int(booked_ahead) + 2):
        meeting.refresh_from_db()
        agree_on_tomorrow(fake_teams, meeting)
        night()

    assert (reads(fake_teams), fake_teams.calls.total()) == (expected, expected)


def agree_on_tomorrow(fake: FakePlatform, meeting: Meeting) -> None:
    day = timedelta(days=1)
    remote = fake.meetings[meeting.remote_id]
    fake.meetings[meeting.remote_id] = replace(remote, starts_at=meeting.starts_at - day, ends_at=meeting.ends_at - day)


def test_repeated_reconciliations_do_not_read_a_meeting_again(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    make_ready(hosting, days=5)

    inspected = [reconcile_and_work(connection).inspected for _ in range(3)]

    assert (inspected, reads(fake_teams)) == ([1, 0, 0], 1)


def test_a_meeting_that_is_moved_is_not_read_more_than_twice(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    reconcile_and_work(connection)
    in_days(meeting, 0.5)
    reconcile_and_work(connection)
    read = reads(fake_teams)

    for days in (20, 5, 0.5):
        in_days(meeting, days)
        reconcile_and_work(connection)

    assert (read, reads(fake_teams)) == (2, 2)


def test_meetings_that_are_out_of_sync_are_not_read(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    cancelled, failed, waiting, over = (make_ready(hosting, days=5) for _ in range(4))
    requests.request_cancel(cancelled.pk)
    sync(cancelled)
    Meeting.objects.filter(pk=failed.pk).update(error_kind=ErrorKind.PERSON)
    Meeting.objects.filter(pk=waiting.pk).update(due_at=timezone.now() + timedelta(hours=1))
    in_days(over, -0.01)

    run = reconcile(connection)

    assert (run.inspected, run.finished_at is not None) == (0, True)


def test_beat_starts_one_reconciliation_a_night(hosting: Hosting, fake_teams: FakePlatform) -> None:
    make_ready(hosting, days=5)

    begun = [reconcile_everything() for _ in range(3)]
    pass_time(timedelta(hours=7))

    assert (begun, reconcile_everything()) == ([1, 0, 0], 1)


@pytest.mark.parametrize("broken", ["_repair_rows", "_schedule_reads"])
def test_an_unexpected_error_on_one_connection_does_not_stop_the_night(
    connection: Connection, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    other = make_connection(make_organization("Cedar Bank"))
    healthy_step = getattr(reconciliation, broken)

    def step(each: Connection, **options: bool) -> object:
        if each.pk == connection.pk:
            raise ValueError
        return healthy_step(each, **options)

    monkeypatch.setattr(reconciliation, broken, step)

    assert reconcile_everything() == 1
    assert list(Reconciliation.objects.values_list("connection", flat=True)) == [other.pk]


def test_an_unexpected_error_in_one_report_does_not_stop_the_others(
    connection: Connection, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = [connection, make_connection(make_organization("Cedar Bank"))]
    runs = [Reconciliation.objects.create(connection=each) for each in connections]
    finish = reconciliation_report.finish

    def finish_or_break(run: Reconciliation) -> bool:
        if run.pk == runs[0].pk:
            raise ValueError
        return finish(run)

    monkeypatch.setattr(reconciliation_report, "finish", finish_or_break)

    assert finish_reconciliations() == 1
    assert list(Reconciliation.objects.unfinished()) == [runs[0]]


def test_two_concurrent_reconciliations_read_each_meeting_once(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    for days in (0.5, 2, 3, 4, 5, 6):
        make_ready(hosting, days=days)

    at_once(lambda: reconcile(connection), lambda: reconcile(connection), reconcile_everything)
    at_once(work, work)

    assert reads(fake_teams) == 6
    assert sum(Reconciliation.objects.values_list("inspected", flat=True)) == 6


def test_reads_are_spread_at_night(hosting: Hosting, fake_teams: FakePlatform) -> None:
    for days in (1.5, 2, 3, 4, 5, 6):
        make_ready(hosting, days=days)

    reconcile_everything()
    due = {moment for moment in Meeting.objects.values_list("due_at", flat=True) if moment is not None}

    assert (len(due), max(due) < timezone.now() + timedelta(seconds=12)) == (6, True)


def test_a_booking_comes_before_scheduled_reads(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    ready = make_ready(hosting, days=5)
    reconcile(connection)
    ready.refresh_from_db()

    move(ready)
    sync(ready)

    assert (ready.synced_version, fake_teams.calls["update_meeting"]) == (2, 2)


# --- what is found ----------------------------------------------------------------------------------
def test_a_vanished_meeting_is_created_again(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    link = meeting.join_url
    fake_teams.meetings.clear()

    run = reconcile_and_work(connection)

    meeting.refresh_from_db()
    (remote,) = fake_teams.meetings.values()
    assert meeting.join_url == remote.join_url != link
    assert findings() == [
        (
            "recreated",
            "The meeting no longer existed in Microsoft Teams: it was made again, with a new link.",
        )
    ]
    assert summary(run) == ("1 meeting was compared with Microsoft Teams. 1 was missing there and made again.")


def test_a_changed_meeting_is_restored(hosting: Hosting, connection: Connection, fake_teams: FakePlatform) -> None:
    meeting = make_ready(hosting, days=5)
    remote = fake_teams.meetings[meeting.remote_id]
    fake_teams.meetings[meeting.remote_id] = replace(
        remote, subject="Lunch", attendee_ids=frozenset({"oid-of-somebody"})
    )

    run = reconcile_and_work(connection)

    assert fake_teams.meetings[meeting.remote_id] == remote
    assert findings() == [
        (
            "restored",
            "Someone had changed the meeting in Microsoft Teams (subject, attendees): it was put back.",
        )
    ]
    assert (run.inspected, run.restored, run.recreated, run.failed) == (1, 1, 0, 0)


def test_a_refused_option_is_not_sent_every_time(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    fake_teams.warning = message("The co-organizer was refused.")
    meeting = make_ready(hosting, days=5)
    remote = fake_teams.meetings[meeting.remote_id]
    fake_teams.meetings[meeting.remote_id] = replace(remote, attendee_ids=frozenset())
    fake_teams.calls.clear()

    reconcile_and_work(connection)

    meeting.refresh_from_db()
    assert (fake_teams.calls, str(meeting.warning)) == (
        Counter(read_meeting=1),
        "The co-organizer was refused.",
    )


def test_meetings_that_coconut_did_not_create_are_never_touched(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    foreign = replace(fake_teams.meetings[meeting.remote_id], remote_id="foreign", subject="Board meeting")
    fake_teams.meetings["foreign"] = foreign
    fake_teams.meetings.pop(meeting.remote_id)
    named: list[str] = []
    look = fake_teams._find_meeting

    def remember(organizer_id, remote_id):
        named.append(remote_id)
        return look(organizer_id, remote_id)

    fake_teams._find_meeting = remember  # type: ignore[method-assign]
    reconcile_and_work(connection)

    assert fake_teams.meetings["foreign"] == foreign
    assert "foreign" not in named


def test_only_a_night_with_findings_is_in_the_history(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    make_ready(hosting, days=5)
    reconcile_and_work(connection)
    quiet = ConnectionEvent.objects.filter(kind=EventKind.RECONCILED).count()
    make_ready(hosting, days=4)
    fake_teams.meetings.clear()

    reconcile_and_work(connection)

    event = ConnectionEvent.objects.get(kind=EventKind.RECONCILED)
    assert quiet == 0
    assert event_text(event) == "1 meeting was compared with Microsoft Teams. 1 was missing there and made again."


# --- trouble ----------------------------------------------------------------------------------------
def test_throttling_delays_the_other_reads(hosting: Hosting, connection: Connection, fake_teams: FakePlatform) -> None:
    for days in (2, 3, 4):
        make_ready(hosting, days=days)
    fake_teams.skip("read_meeting", 1)
    fake_teams.fail("read_meeting", throttled(30))
    run = reconcile(connection)

    work()
    asked_before_the_pause, finished = reads(fake_teams), finish_reconciliations()
    later(seconds=31)
    work()
    finish_reconciliations()

    run.refresh_from_db()
    # One response and one 429. Then the refused read and the delayed one.
    assert (asked_before_the_pause, finished, reads(fake_teams)) == (2, 0, 4)
    assert (run.inspected, run.failed, run.finished_at is not None) == (3, 0, True)


def test_reads_wait_for_the_end_of_an_outage(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    fake_teams.fail("read_meeting", outage())
    run = reconcile_and_work(connection)
    unfinished = run.finished_at

    later(seconds=60)
    sync(meeting)
    finish_reconciliations()

    run.refresh_from_db()
    assert (unfinished, run.finished_at is not None, meeting.due_at, meeting.error_kind) == (
        None,
        True,
        None,
        "",
    )


def test_a_failed_read_is_counted_with_the_reason_and_the_link_stays(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    fake_teams.fail("read_meeting", PlatformError(ErrorKind.PERSON, message("No policy covers Sam.")))

    run = reconcile_and_work(connection)

    meeting.refresh_from_db()
    assert summary(run) == (
        "1 meeting was compared with Microsoft Teams. 1 could not be compared: No policy covers Sam."
    )
    assert (meeting.state, meeting.has_failed) == ("ready", True)


def test_try_again_after_a_failed_read_reads_nothing(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    fake_teams.fail("read_meeting", PlatformError(ErrorKind.PERSON, message("No policy covers Sam.")))
    reconcile_and_work(connection)
    fake_teams.calls.clear()

    requests.try_again(Meeting.objects.all())
    sync(meeting)

    assert (fake_teams.calls, meeting.has_failed) == (Counter(update_meeting=1), False)


def test_a_worker_killed_during_a_read_costs_one_more_read_at_most(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    fake_teams.fail("read_meeting", Killed(), after=True)
    reconcile(connection)
    with pytest.raises(Killed):
        work()

    for _ in range(4):
        later(seconds=100)
        work()
        reconcile(connection)

    meeting.refresh_from_db()
    assert (reads(fake_teams), meeting.due_at, findings()) == (2, None, [])


def test_a_worker_killed_while_it_recreates_a_meeting_leaves_one_meeting_and_one_finding(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    fake_teams.meetings.clear()
    fake_teams.fail("create_meeting", Killed(), after=True)
    reconcile(connection)
    with pytest.raises(Killed):
        work()

    for _ in range(2):
        later(seconds=100)
        sync(meeting)

    (remote,) = fake_teams.meetings.values()
    assert (meeting.join_url, [kind for kind, _ in findings()]) == (remote.join_url, ["recreated"])


def test_a_late_write_of_our_own_is_not_reported_as_a_change(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("update_meeting", PlatformError(ErrorKind.OUTAGE, message("No answer came."), ambiguous=True))
    move(meeting)
    sync(meeting)
    later(seconds=30)
    sync(meeting)
    remote = fake_teams.meetings[meeting.remote_id]
    fake_teams.meetings[meeting.remote_id] = replace(remote, subject="An old subject")

    later(seconds=61)
    sync(meeting)

    assert (fake_teams.meetings[meeting.remote_id], findings()) == (remote, [])


def test_a_connection_that_needs_reauthorization_is_reconciled_later(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    assert reconcile_everything() == 0
    meeting.refresh_from_db()
    assert meeting.week_check_at is None


def test_links_stay_if_the_connection_is_disconnected_before_their_reads(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = make_ready(hosting, days=5)
    run = reconcile(connection)

    disconnect_connection(connection, None)
    work()
    finish_reconciliations()

    meeting.refresh_from_db()
    run.refresh_from_db()
    assert (meeting.state, meeting.due_at, meeting.error_kind) == ("ready", None, "")
    assert (reads(fake_teams), run.failed, run.finished_at is not None) == (0, 0, True)


def test_an_unfinished_reconciliation_is_counted_after_a_day(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    make_ready(hosting, days=5)
    run = reconcile(connection)

    early = finish_reconciliations()
    pass_time(timedelta(hours=21))
    finish_reconciliations()

    run.refresh_from_db()
    assert (early, run.finished_at is not None) == (0, True)

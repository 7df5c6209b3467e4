"""The drift watch: lookups at night, findings, their end, and emails to admins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from integrations.event_text import event_text
from integrations.matching.people import rematch_people
from integrations.models import (
    Connection,
    ConnectionEvent,
    ConnectionStatus,
    DirectoryState,
    DriftFinding,
    DriftWatch,
    MatchField,
    Meeting,
    RematchState,
    UserMatch,
)
from integrations.monitoring.drift import CONNECTIONS_A_ROUND, sweep_drift, watch_drift
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import (
    DirectoryChanges,
    DirectoryResult,
    IncompleteLookup,
    MatchReason,
    PlatformError,
)
from staff.models import StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_run
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.messages import message
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = pytest.mark.usefixtures("ada", "fake_teams")

WATCH = "integrations.watch_drift"


@pytest.fixture
def matched(connection, fake_teams) -> Callable[..., StaffMember]:
    """Return a function that adds a matched staff member with a user on the platform."""

    def make(name: str, meetings: int = 0, **fields: object) -> StaffMember:
        member = make_member(connection.organization, name)
        answer = fake_teams.knows(member.email)
        make_match(connection, member, **{"remote_id": answer.remote_id, **fields})
        for number in range(meetings):
            book(connection, member, timedelta(hours=number + 1))
        return member

    return make


def book(connection: Connection, host: StaffMember, ahead: timedelta, **fields: object) -> Meeting:
    starts_at = timezone.now() + ahead
    return Meeting.objects.create(
        organization=connection.organization,
        connection=connection,
        host=host,
        organizer_id="an-organizer",
        subject="Mortgage review",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        **fields,
    )


def leaves(fake_teams: FakePlatform, member: StaffMember) -> None:
    """Remove the user from the platform."""
    del fake_teams.people[member.email]


def next_night() -> None:
    """Backdate the rows, because the database's clock can't be set."""
    DriftWatch.objects.update(due_at=F("due_at") - timedelta(days=1))


def found(connection: Connection) -> list[tuple[str, str, str, int]]:
    rows = DriftFinding.objects.filter(connection=connection).order_by("staff__first_name")
    return [(row.staff.first_name, row.after, row.reason, row.meetings) for row in rows]


# --- Who is found -----------------------------------------------------------------------------------
def test_a_host_of_this_week_who_would_be_unmatched_is_found(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=4)
    leaves(fake_teams, sam)

    watch_drift(connection.pk)

    assert found(connection) == [("Sam", "unmatched", "not_found", 4)]


def test_the_watch_changes_no_match(connection, matched, fake_teams):
    leaves(fake_teams, matched("Sam Okafor", meetings=4))
    before = UserMatch.objects.values().get()

    watch_drift(connection.pk)

    assert UserMatch.objects.values().get() == before


def test_a_host_without_permission_is_found(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    fake_teams.knows(sam.email, reason=MatchReason.DISABLED)

    watch_drift(connection.pk)

    assert found(connection) == [("Sam", "forbidden", "disabled", 1)]


def test_a_host_who_would_match_another_user_is_found(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    fake_teams.knows(sam.email, remote_id="oid-of-another-sam")

    watch_drift(connection.pk)

    finding = DriftFinding.objects.get()
    assert (finding.after, finding.is_other_user) == ("matched", True)


def test_unchanged_matches_are_not_found(connection, matched):
    matched("Sam Okafor", meetings=4)

    watch_drift(connection.pk)

    assert found(connection) == []


@pytest.mark.parametrize(
    ("ahead", "fields"),
    [
        (timedelta(days=8), {}),
        (timedelta(hours=-2), {}),
        (timedelta(hours=1), {"desired_state": "absent"}),
    ],
)
def test_only_meetings_of_the_coming_week_count(connection, matched, fake_teams, ahead, fields):
    sam = matched("Sam Okafor", enabled=False)
    book(connection, sam, ahead, **fields)
    leaves(fake_teams, sam)

    watch_drift(connection.pk)

    assert found(connection) == []


def test_meetings_on_another_connection_do_not_count(connection, maple, matched, fake_teams):
    sam = matched("Sam Okafor")
    book(make_connection(maple, "another", is_default=False), sam, timedelta(hours=1))
    leaves(fake_teams, sam)

    watch_drift(connection.pk)

    assert fake_teams.queried == []


@pytest.mark.parametrize(
    "fields",
    [
        {"directory": DirectoryState.UNMATCHED, "remote_id": "", "reason": MatchReason.NOT_FOUND},
        {"reason": MatchReason.GUEST},
        {"queried_name": "sam.before@maple.example"},
    ],
)
def test_staff_who_cannot_host_or_will_be_rematched_are_skipped(connection, matched, fake_teams, fields):
    leaves(fake_teams, matched("Sam Okafor", meetings=4, **fields))

    watch_drift(connection.pk)

    assert fake_teams.queried == []


# --- Who is looked up -------------------------------------------------------------------------------
def test_without_a_change_feed_only_hosts_of_the_coming_week_are_looked_up(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    matched("Nina Park")

    watch_drift(connection.pk)

    assert fake_teams.queried == [[sam.email]]


def test_with_a_change_feed_only_changed_users_are_looked_up(connection, matched, fake_teams):
    sam, nina = matched("Sam Okafor", meetings=1), matched("Nina Park")
    fake_teams.changes = DirectoryChanges("mark-2", remote_ids=frozenset([f"oid-of-{nina.email}"]))
    leaves(fake_teams, sam)
    leaves(fake_teams, nina)

    watch_drift(connection.pk)

    assert fake_teams.queried == [[nina.email]]
    assert found(connection) == [("Nina", "unmatched", "not_found", 0)]


def test_a_new_user_with_the_same_name_is_a_change(connection, matched, fake_teams):
    sam = matched("Sam Okafor")
    fake_teams.changes = DirectoryChanges("mark-2", user_names=frozenset([sam.email]))
    fake_teams.knows(sam.email, remote_id="oid-of-another-sam")

    watch_drift(connection.pk)

    assert DriftFinding.objects.get().is_other_user


def test_staff_without_video_calls_and_meetings_are_not_watched(connection, matched, fake_teams):
    sam = matched("Sam Okafor", enabled=False)
    fake_teams.changes = DirectoryChanges("mark-2", user_names=frozenset([sam.email]))
    leaves(fake_teams, sam)

    watch_drift(connection.pk)

    assert fake_teams.queried == []


def test_the_next_watch_sends_the_stored_mark(connection, fake_teams):
    fake_teams.changes = DirectoryChanges("mark-1", is_complete=False)
    watch_drift(connection.pk)
    next_night()

    watch_drift(connection.pk)

    assert fake_teams.sync_tokens == ["", "mark-1"]


def test_a_failed_watch_is_repeated_from_the_same_mark(connection, matched, fake_teams):
    sam = matched("Sam Okafor")
    fake_teams.changes = DirectoryChanges("mark-1", user_names=frozenset([sam.email]))
    fake_teams.fail("find", outage())
    leaves(fake_teams, sam)
    watch_drift(connection.pk)
    next_night()

    watch_drift(connection.pk)

    assert fake_teams.sync_tokens == ["", ""]
    assert found(connection) == [("Sam", "unmatched", "not_found", 0)]


def test_many_are_looked_up_in_chunks(connection, matched, fake_teams):
    fake_teams.chunk_size = 2
    for name in ("Ann Lee", "Ben Lee", "Cat Lee"):
        matched(name, meetings=1)

    watch_drift(connection.pk)

    assert [len(names) for names in fake_teams.queried] == [2, 1]


# --- A watch that is interrupted ----------------------------------------------------------------------
def due_again() -> None:
    """Make an interrupted watch due, and end any pause."""
    DriftWatch.objects.update(due_at=timezone.now())
    Connection.objects.update(paused_until=None)


def stop_after(fake_teams: FakePlatform, answered: list[StaffMember]) -> None:
    """Answer for these people only in the next lookup, and then ask to slow down."""
    results = {member.email: fake_teams.people.get(member.email, DirectoryResult()) for member in answered}
    fake_teams.fail("find", IncompleteLookup(throttled(30), results))


def test_an_interrupted_watch_goes_on_with_the_staff_who_are_left(connection, matched, fake_teams):
    ann, ben, cat = (matched(name, meetings=1) for name in ("Ann Lee", "Ben Lee", "Cat Lee"))
    stop_after(fake_teams, [ann, cat])
    watch_drift(connection.pk)
    due_again()

    watch_drift(connection.pk)

    assert fake_teams.queried == [[ben.email]]


def test_every_attempt_makes_progress_under_any_quota(connection, matched, fake_teams):
    fake_teams.chunk_size = 1
    people = [matched(name, meetings=1) for name in ("Ann Lee", "Ben Lee", "Cat Lee")]
    leaves(fake_teams, people[2])
    for member in people:
        stop_after(fake_teams, [member])

    for _ in range(4):
        watch_drift(connection.pk)
        due_again()

    watch = DriftWatch.objects.get()
    assert found(connection) == [("Cat", "unmatched", "not_found", 1)]
    assert (watch.finished_at is not None, watch.checked_staff) == (True, [])


def test_findings_of_an_interrupted_watch_are_stored_at_once(connection, matched, fake_teams):
    ann, ben = matched("Ann Lee", meetings=1), matched("Ben Lee", meetings=1)
    leaves(fake_teams, ann)
    leaves(fake_teams, ben)
    stop_after(fake_teams, [ann])
    watch_drift(connection.pk)
    at_first = found(connection)
    due_again()

    watch_drift(connection.pk)

    assert at_first == [("Ann", "unmatched", "not_found", 1)]
    assert [name for name, *_ in found(connection)] == ["Ann", "Ben"]


def test_an_interrupted_watch_keeps_findings_of_staff_it_did_not_reach(connection, matched, fake_teams):
    ann, ben = matched("Ann Lee", meetings=1), matched("Ben Lee", meetings=1)
    leaves(fake_teams, ann)
    leaves(fake_teams, ben)
    watch_drift(connection.pk)
    fake_teams.knows(ann.email)
    next_night()
    stop_after(fake_teams, [ann])

    watch_drift(connection.pk)

    assert [name for name, *_ in found(connection)] == ["Ben"]


def test_a_change_after_the_interruption_is_found_the_next_night(connection, matched, fake_teams):
    ann, ben = matched("Ann Lee"), matched("Ben Lee")
    both = frozenset([ann.email, ben.email])
    fake_teams.changes = DirectoryChanges("mark-1", user_names=both)
    stop_after(fake_teams, [ann])
    watch_drift(connection.pk)
    leaves(fake_teams, ann)
    fake_teams.changes = DirectoryChanges("mark-2", user_names=both)
    due_again()
    watch_drift(connection.pk)
    next_night()

    watch_drift(connection.pk)

    assert fake_teams.sync_tokens == ["", "", "mark-1"]
    assert [name for name, *_ in found(connection)] == ["Ann"]


# --- When a finding ends ----------------------------------------------------------------------------
def test_a_finding_ends_when_the_next_watch_finds_no_difference(connection, matched, fake_teams):
    sam = matched("Sam Okafor")
    fake_teams.changes = DirectoryChanges("mark-1", user_names=frozenset([sam.email]))
    leaves(fake_teams, sam)
    watch_drift(connection.pk)
    fake_teams.changes = DirectoryChanges("mark-2")
    fake_teams.knows(sam.email)
    next_night()

    watch_drift(connection.pk)

    assert found(connection) == []


def test_a_rematch_ends_a_finding(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    leaves(fake_teams, sam)
    watch_drift(connection.pk)

    rematch_people(connection, [sam.pk])

    assert found(connection) == []


def test_a_rematch_during_the_watch_wins(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    leaves(fake_teams, sam)

    def rematch_meanwhile() -> None:
        UserMatch.objects.update(checked_at=timezone.now() + timedelta(seconds=1))

    fake_teams.during("find", rematch_meanwhile)

    watch_drift(connection.pk)

    assert found(connection) == []


def test_a_change_of_the_match_field_during_the_watch_discards_its_results(connection, matched, fake_teams):
    leaves(fake_teams, matched("Sam Okafor", meetings=1))
    fake_teams.during("find", lambda: Connection.objects.update(match_field=MatchField.USERNAME))

    watch_drift(connection.pk)

    assert found(connection) == []


def test_the_number_of_meetings_is_updated(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=4)
    leaves(fake_teams, sam)
    watch_drift(connection.pk)
    Meeting.objects.filter(pk=Meeting.objects.values("pk")[:1]).delete()
    next_night()

    watch_drift(connection.pk)

    assert found(connection) == [("Sam", "unmatched", "not_found", 3)]


# --- When it is looked ------------------------------------------------------------------------------
def test_a_connection_is_watched_once_a_night(connection, matched, fake_teams, sent_tasks):
    matched("Sam Okafor", meetings=1)
    watch_drift(connection.pk)

    assert sweep_drift() == 0
    watch_drift(connection.pk)

    assert fake_teams.calls["find"] == 1


def test_the_sweep_sends_tasks_for_due_connections(connection, sent_tasks):
    assert sweep_drift() == 1
    assert sent_tasks == [(WATCH, connection.pk)]


@pytest.mark.parametrize(
    "fields",
    [
        {"status": ConnectionStatus.NEEDS_REAUTHORIZATION},
        {"status": ConnectionStatus.DISCONNECTED, "is_default": False},
        {"paused_until": timezone.now() + timedelta(days=1)},
        {"probe_at": timezone.now() + timedelta(days=1)},
    ],
)
def test_a_connection_that_may_not_be_called_is_not_watched(connection, matched, fake_teams, sent_tasks, fields):
    matched("Sam Okafor", meetings=1)
    Connection.objects.update(**fields)

    assert sweep_drift() == 0
    watch_drift(connection.pk)

    assert fake_teams.calls == {}


def test_a_running_rematch_comes_first(connection, sent_tasks):
    make_run(connection, state=RematchState.RUNNING)

    assert sweep_drift() == 0


def test_many_connections_are_spread_over_rounds(fake_teams, sent_tasks):
    for number in range(CONNECTIONS_A_ROUND + 1):
        make_connection(make_organization(f"Bank{number}"))

    assert sweep_drift() == CONNECTIONS_A_ROUND


def test_a_pause_that_the_platform_asks_for_is_kept(connection, matched, fake_teams):
    matched("Sam Okafor", meetings=1)
    fake_teams.fail("find", throttled())

    watch_drift(connection.pk)

    connection.refresh_from_db()
    assert connection.paused_until > timezone.now()


def test_a_bug_is_tried_again_the_next_night_only(connection, matched, fake_teams, sent_tasks):
    matched("Sam Okafor", meetings=1)
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, message("Not understood.")))
    watch_drift(connection.pk)
    DriftWatch.objects.update(due_at=F("due_at") - timedelta(hours=1))

    assert sweep_drift() == 0


def test_an_outage_is_tried_again_the_same_night(connection, matched, fake_teams, sent_tasks):
    matched("Sam Okafor", meetings=1)
    fake_teams.fail("find", outage())
    watch_drift(connection.pk)
    DriftWatch.objects.update(due_at=F("due_at") - timedelta(hours=1))

    assert sweep_drift() == 1


# --- What admins hear -------------------------------------------------------------------------------
def watch_and_send(connection):
    watch_drift(connection.pk)
    send_all()


def test_admins_get_one_email_about_staff_with_appointments(connection, ada, matched, fake_teams):
    for name, meetings in (("Sam Okafor", 4), ("Nina Park", 1)):
        leaves(fake_teams, matched(name, meetings=meetings))

    watch_and_send(connection)

    (letter,) = mail.outbox
    assert letter.to == [ada.email]
    assert letter.subject == "Microsoft Teams: 2 people with video appointments this week need a look"
    lines = [line for line in letter.body.splitlines() if line.startswith("- ")]
    assert lines == [
        "- Sam Okafor would now be Unmatched and has 4 video appointments this week.",
        "- Nina Park would now be Unmatched and has 1 video appointment this week.",
    ]


def test_a_finding_sends_one_email(connection, matched, fake_teams):
    leaves(fake_teams, matched("Sam Okafor", meetings=4))
    watch_and_send(connection)
    next_night()

    watch_and_send(connection)

    assert len(mail.outbox) == 1


def test_a_finding_without_appointments_sends_an_email_once_one_is_booked(connection, matched, fake_teams):
    sam = matched("Sam Okafor")
    fake_teams.changes = DirectoryChanges("mark-1", user_names=frozenset([sam.email]))
    leaves(fake_teams, sam)
    watch_and_send(connection)
    assert mail.outbox == []
    book(connection, sam, timedelta(days=1))
    next_night()

    watch_and_send(connection)

    assert len(mail.outbox) == 1


def test_an_email_server_that_is_down_only_delays_the_email(connection, ada, matched, fake_teams):
    leaves(fake_teams, matched("Sam Okafor", meetings=4))

    with email_server_down():
        watch_and_send(connection)
    sent_meanwhile = list(mail.outbox)
    retry_all()

    assert found(connection) == [("Sam", "unmatched", "not_found", 4)]
    assert sent_meanwhile == []
    assert [message.to for message in mail.outbox] == [[ada.email]]


def test_the_history_has_a_line_about_new_findings(connection, matched, fake_teams):
    for name in ("Sam Okafor", "Nina Park", "Otis Reed"):
        leaves(fake_teams, matched(name, meetings=1))
    watch_drift(connection.pk)
    next_night()

    watch_drift(connection.pk)

    lines = [event_text(event) for event in ConnectionEvent.objects.filter(connection=connection)]
    assert lines == ["Drift watch: Sam Okafor and 2 others would not be matched as they are any more."]


def test_other_organisations_are_not_watched(connection, matched, fake_teams):
    otto = make_member(make_organization("Cedar Bank"), "Otto Keller", "admin")
    leaves(fake_teams, matched("Sam Okafor", meetings=4))

    watch_and_send(connection)

    assert otto.email not in mail.outbox[0].to


def test_a_user_name_that_became_an_alias_is_found_with_its_hint(connection, matched, fake_teams):
    sam = matched("Sam Okafor", meetings=1)
    fake_teams.people[sam.email] = DirectoryResult(reason=MatchReason.ALIAS, hint="sam.new@maple.example")

    watch_drift(connection.pk)

    finding = DriftFinding.objects.get()
    assert (finding.after, finding.hint) == ("unmatched", "sam.new@maple.example")


# --- The account -----------------------------------------------------------------------------------
def test_the_watch_follows_the_names_of_the_account(connection, fake_teams):
    watch_drift(connection.pk)

    assert fake_teams.calls["refresh_account"] == 1


def test_names_that_cannot_be_read_stop_no_watch(connection, fake_teams):
    fake_teams.fail("refresh_account", outage())

    watch_drift(connection.pk)

    assert DriftWatch.objects.get().finished_at is not None

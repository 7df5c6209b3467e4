"""Host permission probes: their schedule, their results and the reports of admins."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError

from coconut.leases import LEASE_DURATION
from integrations.event_text import event_text
from integrations.hosting.eligibility import Hosting
from integrations.matching.host_permission import (
    PORTION,
    probe_host_permission,
    sweep_host_permission,
    write_host_permission,
)
from integrations.matching.host_permission_report import grant_scripts, report_permission
from integrations.matching.people import rematch_people
from integrations.models import (
    Connection,
    ConnectionStatus,
    DirectoryState,
    EventKind,
    HostPause,
    HostPermission,
    MatchStatus,
    Meeting,
    UserMatch,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import ErrorScope, MatchReason, PermissionResult, PermissionState, PlatformError
from staff.models import StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.meeting_steps import STARTS, ask, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)

COVERED = PermissionResult(PermissionState.GRANTED)
FORBIDDEN = PermissionResult(PermissionState.DENIED)
PROBE = "integrations.probe_coverage"


@pytest.fixture(autouse=True)
def clear_cache():
    cache.clear()


@pytest.fixture
def platform(fake_teams: FakePlatform) -> FakePlatform:
    fake_teams.needs_permission_probe = True
    return fake_teams


@pytest.fixture
def connection(maple, platform) -> Connection:
    return make_connection(maple)


@pytest.fixture
def sam(maple, connection) -> UserMatch:
    """Return the match of Sam, who was just matched."""
    return make_match(connection, make_member(maple), host_permission=HostPermission.UNKNOWN, remote_id="sam-id")


def forbid(match: UserMatch, **fields) -> UserMatch:
    """Make the match due, with a permission that was refused some time ago."""
    fields = {
        "host_permission": HostPermission.DENIED,
        "host_permission_checked_at": timezone.now() - timedelta(hours=1),
        "host_permission_due_at": timezone.now(),
        **fields,
    }
    UserMatch.objects.filter(pk=match.pk).update(**fields)
    match.refresh_from_db()
    return match


def probed(match: UserMatch) -> UserMatch:
    """Probe, and return the match."""
    probe_host_permission(match.connection_id)
    match.refresh_from_db()
    return match


def seconds_until_due(match: UserMatch) -> float:
    return (match.host_permission_due_at - timezone.now()).total_seconds()


def later(**passed: float) -> None:
    """Let time pass: move rows into the past, because the database's clock can't be set."""
    UserMatch.objects.update(
        host_permission_due_at=F("host_permission_due_at") - timedelta(**passed),
        host_permission_checked_at=F("host_permission_checked_at") - timedelta(**passed),
    )


# --- Probed people --------------------------------------------------------------------------------
def test_a_new_person_with_permission_is_matched(platform, sam):
    before = sam.status

    after = probed(sam)

    assert (before, after.status, after.host_permission) == (
        MatchStatus.CHECKING,
        MatchStatus.MATCHED,
        HostPermission.GRANTED,
    )
    assert platform.probed == [["sam-id"]]


def test_a_new_person_without_permission_is_forbidden(platform, sam):
    platform.forbids("sam-id")

    after = probed(sam)

    assert (after.status, after.host_permission, after.needs_permission) == (
        MatchStatus.FORBIDDEN,
        HostPermission.DENIED,
        True,
    )


def test_a_granted_permission_is_not_probed_again(platform, sam):
    probed(sam)
    later(days=400)
    probed(sam)

    assert platform.probed == [["sam-id"]]


@pytest.mark.parametrize(
    "fields",
    [
        {"directory": DirectoryState.UNMATCHED},
        {"directory": DirectoryState.UNKNOWN},
        {"host_permission": HostPermission.NOT_NEEDED},
        {"host_permission": HostPermission.GRANTED},
        {"reason": MatchReason.DISABLED},
        {"reason": MatchReason.NO_LICENCE},
        {"host_permission_due_at": timezone.now() + timedelta(hours=1)},
    ],
)
def test_other_matches_are_not_probed(platform, sam, fields):
    UserMatch.objects.update(**fields)

    probed(sam)

    assert platform.probed == []


def test_former_staff_are_not_probed(platform, sam):
    StaffMember.objects.filter(pk=sam.staff_id).update(is_active=False)

    probed(sam)

    assert platform.probed == []


@pytest.mark.parametrize(
    "fields",
    [
        {"status": ConnectionStatus.NEEDS_REAUTHORIZATION},
        {"status": ConnectionStatus.DISCONNECTED, "is_default": False},
        {"paused_until": timezone.now() + timedelta(hours=1)},
    ],
)
def test_a_connection_that_is_not_able_to_work_is_not_probed(platform, sam, sent_tasks, fields):
    Connection.objects.update(**fields)

    probed(sam)

    assert (sweep_host_permission(), platform.probed) == (0, [])


def test_a_shared_remote_user_is_probed_once(platform, sam, maple, connection):
    ben = make_match(
        connection, make_member(maple, "Ben Osei"), host_permission=HostPermission.UNKNOWN, remote_id="sam-id"
    )

    probed(sam)

    ben.refresh_from_db()
    assert platform.probed == [["sam-id"]]
    assert (sam.host_permission, ben.host_permission) == (HostPermission.GRANTED, HostPermission.GRANTED)


# --- Many people ------------------------------------------------------------------------------------
def make_due_staff(connection: Connection, how_many: int) -> None:
    UserMatch.objects.bulk_create(
        UserMatch(
            connection=connection,
            staff=member,
            directory=DirectoryState.MATCHED,
            host_permission=HostPermission.UNKNOWN,
            remote_id=f"oid-{member.pk}",
        )
        for member in make_staff(connection.organization, how_many)
    )


def test_a_task_probes_one_portion_and_enqueues_the_next(platform, connection, sent_tasks):
    make_due_staff(connection, PORTION + 1)

    probe_host_permission(connection.pk)
    first = (platform.calls["probe_host_permission"], list(sent_tasks))
    probe_host_permission(connection.pk)

    assert first == (PORTION // platform.probe_size, [(PROBE, connection.pk)])
    assert sent_tasks == [(PROBE, connection.pk)]
    assert not UserMatch.objects.exclude(host_permission=HostPermission.GRANTED).exists()


def test_people_are_probed_without_a_cache_too(platform, connection, monkeypatch):
    make_due_staff(connection, 1)
    for name in ("add", "delete"):
        monkeypatch.setattr(cache, name, unavailable)

    probe_host_permission(connection.pk)

    assert UserMatch.objects.get().host_permission == HostPermission.GRANTED


def unavailable(*args: object, **kwargs: object) -> None:
    raise RedisError("The cache is down.")


def test_people_refused_before_do_not_cause_another_task(platform, connection, sent_tasks):
    make_due_staff(connection, PORTION + 1)
    UserMatch.objects.update(host_permission=HostPermission.DENIED)
    platform.forbids(*UserMatch.objects.values_list("remote_id", flat=True))

    probe_host_permission(connection.pk)

    assert sent_tasks == []


def test_new_people_are_probed_before_those_refused_before(platform, connection, sam, maple):
    platform.probe_size = 1
    ben = make_match(connection, make_member(maple, "Ben Osei"), remote_id="ben-id")
    forbid(ben, host_permission_due_at=timezone.now() - timedelta(days=1))

    probed(sam)

    assert platform.probed == [["sam-id"], ["ben-id"]]


def test_a_second_worker_does_not_probe_the_same_connection(platform, connection, sam, sent_tasks):
    platform.during("probe_host_permission", lambda: probe_host_permission(connection.pk))

    probed(sam)

    assert platform.probed == [["sam-id"]]


def test_two_workers_probe_different_people(platform, connection, sam, maple):
    platform.probe_size = 1
    make_match(connection, make_member(maple, "Ben Osei"), host_permission=HostPermission.UNKNOWN, remote_id="ben-id")

    def another_worker():
        cache.clear()
        probe_host_permission(connection.pk)

    platform.during("probe_host_permission", another_worker)
    probed(sam)

    assert sorted(platform.probed) == [["ben-id"], ["sam-id"]]


def test_the_sweep_sends_one_task_for_each_connection_with_due_people(connection, sam, maple, sent_tasks):
    make_due_staff(connection, 3)
    make_connection(maple, is_default=False, account_oid="another", name="Another")

    assert sweep_host_permission() == 1
    assert sent_tasks == [(PROBE, connection.pk)]


# --- Schedule -------------------------------------------------------------------------------------
def test_probes_are_quick_for_half_an_hour_and_then_rarer(platform, sam):
    platform.forbids("sam-id")
    waits = []

    for _ in range(22):
        waits.append(seconds_until_due(probed(sam)) / 180)
        later(days=2)

    rounded = [1] * 10 + [2, 4, 8, 16, 32, 64, 128, 256] + [480] * 4
    assert all(0.89 * full < wait <= full for wait, full in zip(waits, rounded, strict=True)), waits


def test_no_person_is_probed_before_the_pause_is_over(platform, sam):
    platform.forbids("sam-id")
    probed(sam)
    probed(sam)

    assert len(platform.probed) == 1


def test_a_new_grant_makes_the_others_due_at_once(platform, connection, sam, maple):
    forbid(sam)
    ben = make_match(connection, make_member(maple, "Ben Osei"), remote_id="ben-id")
    forbid(ben, host_permission_due_at=timezone.now() + timedelta(hours=20))

    probed(sam)

    ben.refresh_from_db()
    assert (sam.host_permission, ben.host_permission) == (HostPermission.GRANTED, HostPermission.GRANTED)


def test_while_a_permission_spreads_the_next_task_follows_at_once(platform, connection, sent_tasks):
    make_due_staff(connection, PORTION + 1)
    UserMatch.objects.update(host_permission=HostPermission.DENIED)

    probe_host_permission(connection.pk)

    assert sent_tasks == [(PROBE, connection.pk)]


def test_people_probed_just_now_are_not_made_due_again(platform, connection, sam, maple):
    forbid(sam)
    ben = make_match(connection, make_member(maple, "Ben Osei"), remote_id="ben-id")
    soon = timezone.now() + timedelta(minutes=2)
    forbid(ben, host_permission_checked_at=timezone.now(), host_permission_due_at=soon)

    probed(sam)

    ben.refresh_from_db()
    assert ben.host_permission_due_at == soon


# --- Results --------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", [MatchReason.NO_HOST_PERMISSION, MatchReason.REFUSED])
def test_a_grant_clears_the_reason_from_a_failed_meeting(sam, reason):
    forbid(sam, reason=reason)

    after = probed(sam)

    assert (after.reason, after.status) == ("", MatchStatus.MATCHED)


def test_an_unclear_result_keeps_the_status_and_is_probed_again_later(platform, sam):
    platform.host_permission["sam-id"] = PermissionResult(PermissionState.UNCLEAR)
    forbid(sam)

    after = probed(sam)

    assert after.host_permission == HostPermission.DENIED
    assert 160 < seconds_until_due(after) <= 180


def test_a_remote_user_that_is_gone_is_unmatched_and_looked_up_again(platform, sam):
    platform.host_permission["sam-id"] = PermissionResult(PermissionState.GONE)

    after = probed(sam)

    assert (after.status, after.reason, after.queried_name) == (
        MatchStatus.UNMATCHED,
        MatchReason.NOT_FOUND,
        None,
    )


def test_a_pause_for_one_person_pauses_the_connection(platform, connection, sam):
    platform.host_permission["sam-id"] = PermissionResult(PermissionState.UNCLEAR, pause=40)

    after = probed(sam)
    connection.refresh_from_db()

    assert 30 < (connection.paused_until - timezone.now()).total_seconds() <= 40
    assert (after.host_permission, after.host_permission_attempts) == (HostPermission.UNKNOWN, 0)
    assert seconds_until_due(after) < 1


def test_a_limit_of_one_organizer_does_not_stop_the_other_probes(platform, connection, sam, maple):
    make_match(connection, make_member(maple, "Anna"), remote_id="anna-id", host_permission="unknown")
    platform.host_permission["sam-id"] = PermissionResult(PermissionState.UNCLEAR, 40, ErrorScope.UNCLEAR)

    probe_host_permission(connection.pk)

    connection.refresh_from_db()
    sam.refresh_from_db()
    assert (connection.paused_until, HostPause.objects.get().organizer_id) == (None, "sam-id")
    assert 30 < seconds_until_due(sam) <= 40
    assert UserMatch.objects.get(remote_id="anna-id").host_permission == HostPermission.GRANTED


def test_limits_of_two_organizers_pause_the_connection(platform, connection, sam, maple):
    make_match(connection, make_member(maple, "Anna"), remote_id="anna-id", host_permission="unknown")
    limit = PermissionResult(PermissionState.UNCLEAR, 40, ErrorScope.UNCLEAR)
    platform.host_permission |= {"sam-id": limit, "anna-id": limit}

    probe_host_permission(connection.pk)

    connection.refresh_from_db()
    assert 30 < (connection.paused_until - timezone.now()).total_seconds() <= 40


def test_locked_matches_never_wait_for_the_connection(platform, connection, sam):
    """A rematch locks the connection first, so the other order would deadlock."""
    write_host_permission(connection, {"sam-id": PermissionResult(PermissionState.UNCLEAR, pause=40)})

    connection.refresh_from_db()
    assert connection.paused_until is None


def test_when_the_platform_requests_a_pause_it_is_not_called(platform, connection, sam):
    platform.fail("probe_host_permission", throttled(40))

    after = probed(sam)
    connection.refresh_from_db()

    assert connection.paused_until is not None
    assert after.host_permission == HostPermission.UNKNOWN


def test_after_an_outage_people_are_due_when_the_claim_ends(platform, sam):
    platform.fail("probe_host_permission", outage())

    after = probed(sam)

    assert (after.host_permission, after.host_permission_attempts) == (HostPermission.UNKNOWN, 0)
    assert 0 < seconds_until_due(after) <= LEASE_DURATION.total_seconds()


def test_when_the_sign_in_is_refused_people_keep_their_status(platform, connection, sam):
    forbid(sam)
    platform.refuse("probe_host_permission", connection)

    after = probed(sam)
    connection.refresh_from_db()

    assert (after.status, connection.status) == (
        MatchStatus.FORBIDDEN,
        ConnectionStatus.NEEDS_REAUTHORIZATION,
    )


def test_a_result_for_another_remote_user_is_not_written(platform, connection, sam):
    platform.during("probe_host_permission", lambda: UserMatch.objects.update(remote_id="another-id"))

    after = probed(sam)

    assert after.host_permission == HostPermission.UNKNOWN


# --- Rematches ------------------------------------------------------------------------------------
def test_a_new_match_is_probed_soon(platform, connection, maple, sent_tasks):
    sam = make_member(maple)
    platform.knows(sam.email)
    sent_tasks.clear()

    rematch_people(connection, [sam.pk])

    assert sent_tasks == [(PROBE, connection.pk)]


def test_a_rematch_of_the_same_user_keeps_the_permission_without_a_probe(platform, connection, maple, sent_tasks):
    sam = make_member(maple)
    platform.knows(sam.email)
    rematch_people(connection, [sam.pk])
    match = UserMatch.objects.get()
    platform.forbids(match.remote_id)
    before = probed(match)
    sent_tasks.clear()

    rematch_people(connection, [sam.pk])

    after = UserMatch.objects.get()
    assert (after.host_permission, after.host_permission_due_at, after.host_permission_attempts) == (
        HostPermission.DENIED,
        before.host_permission_due_at,
        1,
    )
    assert sent_tasks == []


def test_a_match_with_another_user_is_probed_as_new(platform, connection, sam, maple):
    forbid(sam, host_permission_attempts=12, host_permission_due_at=timezone.now() + timedelta(days=1))
    platform.knows(sam.staff.email)

    rematch_people(connection, [sam.staff_id])

    assert probed(sam).host_permission == HostPermission.GRANTED


# --- "I ran it" -----------------------------------------------------------------------------------
def reported(connection, ada, *names) -> int:
    return report_permission(connection, StaffMember.objects.filter(first_name__in=names), ada)


def test_a_reported_person_waits_and_is_probed_at_once(connection, sam, ada, sent_tasks):
    forbid(sam, host_permission_attempts=30, host_permission_due_at=timezone.now() + timedelta(days=1))

    changed = reported(connection, ada, "Sam")

    sam.refresh_from_db()
    (event,) = connection.events.all()
    assert (changed, sam.host_permission, sam.host_permission_attempts) == (1, HostPermission.WAITING, 0)
    assert sam.status == MatchStatus.FORBIDDEN
    assert (event.kind, event.actor, event_text(event)) == (
        EventKind.PERMISSION_REPORTED,
        ada,
        "The access policy was reported as granted for Sam Okafor.",
    )
    assert sent_tasks == [(PROBE, connection.pk)]
    assert probed(sam).status == MatchStatus.MATCHED


def test_reported_people_wait_for_two_days_and_are_then_forbidden(platform, connection, sam, ada):
    platform.forbids("sam-id")
    forbid(sam)
    reported(connection, ada, "Sam")
    passed = timedelta()

    while probed(sam).host_permission == HostPermission.WAITING:
        passed += timedelta(seconds=seconds_until_due(sam))
        later(seconds=seconds_until_due(sam) + 1)

    assert timedelta(days=1.8) < passed < timedelta(days=3)


def test_several_people_are_reported_in_one_event(connection, sam, ada, maple):
    forbid(sam)
    forbid(make_match(connection, make_member(maple, "Ben Osei"), remote_id="ben-id"))

    changed = report_permission(connection, StaffMember.objects.all(), ada)

    (event,) = connection.events.all()
    assert changed == 2
    assert event_text(event) == "The access policy was reported as granted for 2 users."


@pytest.mark.parametrize(
    "fields",
    [
        {"host_permission": HostPermission.GRANTED},
        {"host_permission": HostPermission.UNKNOWN},
        {"directory": DirectoryState.UNMATCHED},
        {"reason": MatchReason.GUEST},
    ],
)
def test_people_who_need_no_grant_are_not_reported(connection, sam, ada, sent_tasks, fields):
    forbid(sam, **fields)

    changed = reported(connection, ada, "Sam")

    after = UserMatch.objects.get()
    assert (changed, after.host_permission) == (0, sam.host_permission)
    assert (sent_tasks, connection.events.count()) == ([], 0)


def test_people_of_another_connection_are_not_reported(connection, sam, ada):
    forbid(sam)
    cedar = make_connection(make_organization("Cedar Bank"), account_oid="another")

    assert report_permission(cedar, StaffMember.objects.all(), ada) == 0
    assert UserMatch.objects.needing_permission(cedar).count() == 0


def test_the_scripts_are_for_all_who_lack_the_permission(connection, sam, maple):
    forbid(sam)
    forbid(make_match(connection, make_member(maple, "Ben Osei"), remote_id="ben-id"))
    make_match(connection, make_member(maple, "Zoe Hart"), remote_id="zoe-id", host_permission=HostPermission.GRANTED)

    assert [script.code for script in grant_scripts(connection)] == [
        "grant ben-id\ngrant sam-id",
        "check ben-id\ncheck sam-id",
    ]


# --- Meetings -------------------------------------------------------------------------------------
@pytest.fixture
def hosting(connection, platform, sam, monkeypatch) -> Hosting:
    """Return the hosting of Sam, who organises their own meetings with permission."""
    monkeypatch.setattr(platform, "organizer_id", lambda connection, match: match.remote_id)
    UserMatch.objects.update(host_permission=HostPermission.GRANTED, host_permission_checked_at=timezone.now())
    sam.refresh_from_db()
    return Hosting(sam.staff_id, connection, sam)


def no_host_permission() -> PlatformError:
    return PlatformError(ErrorKind.PERSON, message("No policy."), reason=MatchReason.NO_HOST_PERMISSION)


def test_a_refused_meeting_makes_the_host_forbidden_and_due(platform, hosting, sam):
    platform.fail("create_meeting", no_host_permission())

    sync(ask(hosting))

    sam.refresh_from_db()
    assert (sam.host_permission, sam.reason) == (HostPermission.DENIED, MatchReason.NO_HOST_PERMISSION)
    assert seconds_until_due(sam) > 0


def test_a_grant_retries_the_meeting_automatically(platform, hosting, sam):
    platform.fail("create_meeting", no_host_permission())
    meeting = sync(ask(hosting))
    failed = meeting.state
    later(days=1)

    probed(sam)
    sync(meeting)

    assert (failed, meeting.state) == ("failed", "ready")


def test_a_grant_does_not_retry_meetings_of_other_hosts(platform, hosting, sam, connection):
    platform.fail("create_meeting", PlatformError(ErrorKind.PERSON, message("No licence.")))
    meeting = sync(ask(hosting))
    Meeting.objects.update(organizer_id="another-id")
    forbid(sam)

    probed(sam)

    meeting.refresh_from_db()
    assert (meeting.due_at, meeting.state) == (None, "failed")


def test_a_grant_does_not_retry_a_meeting_that_failed_for_another_reason(platform, hosting, sam):
    platform.fail("create_meeting", PlatformError(ErrorKind.BUG, message("No.")))
    meeting = sync(ask(hosting))
    forbid(sam)

    probed(sam)

    meeting.refresh_from_db()
    assert meeting.due_at is None


def test_a_grant_does_not_retry_a_meeting_that_is_over(platform, hosting, sam):
    platform.fail("create_meeting", no_host_permission())
    meeting = sync(ask(hosting))
    past = STARTS - timedelta(days=365 * 90)
    Meeting.objects.update(starts_at=past, ends_at=past + timedelta(hours=1))
    later(days=1)

    probed(sam)

    meeting.refresh_from_db()
    assert (meeting.due_at, str(meeting.error)) == (None, "No policy.")


def test_contradictory_results_make_probes_rarer(platform, hosting, sam):
    platform.fail("create_meeting", no_host_permission(), times=4)
    meeting, waits = sync(ask(hosting)), []

    for _ in range(3):
        sam.refresh_from_db()
        waits.append(seconds_until_due(sam))
        UserMatch.objects.update(host_permission_due_at=timezone.now())
        probed(sam)
        sync(meeting)

    # Each is up to a tenth shorter, so that not all come at once.
    assert [ceil(wait / 180) for wait in waits] == [2, 4, 8], waits


def test_a_refusal_long_after_the_grant_starts_quick_probes(platform, hosting, sam):
    platform.fail("create_meeting", no_host_permission())
    UserMatch.objects.update(
        host_permission_attempts=40, host_permission_checked_at=timezone.now() - timedelta(days=60)
    )

    sync(ask(hosting))

    sam.refresh_from_db()
    assert (sam.host_permission_attempts, seconds_until_due(sam) <= 180) == (1, True)


def test_a_waiting_person_keeps_waiting_after_a_refused_meeting(platform, hosting, sam):
    UserMatch.objects.update(host_permission=HostPermission.WAITING)
    platform.fail("create_meeting", no_host_permission())

    sync(ask(hosting))

    sam.refresh_from_db()
    assert (sam.host_permission, sam.needs_permission) == (HostPermission.WAITING, True)


# --- Cost -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("how_many", [1, 3])
def test_results_are_written_with_a_constant_number_of_queries(connection, how_many, django_assert_num_queries):
    make_due_staff(connection, how_many)
    remote_ids = list(UserMatch.objects.values_list("remote_id", flat=True))

    with django_assert_num_queries(QUERIES):
        write_host_permission(connection, dict.fromkeys(remote_ids, FORBIDDEN))


QUERIES = 4

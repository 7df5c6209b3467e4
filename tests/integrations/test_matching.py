"""Everybody is matched in a run that survives anything, and single people when asked."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from integrations.matching import (
    end_runs,
    rematch_people,
    restart_run,
    resume_rematch_runs,
    shared_remote_ids,
    start_run,
    work_on_run,
)
from integrations.models import (
    Connection,
    ConnectionStatus,
    Coverage,
    DirectoryState,
    MatchChange,
    MatchField,
    MatchStatus,
    RematchRun,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from integrations.models.matches import derived_status
from integrations.platforms import ErrorKind, MatchReason, PlatformError
from staff.models import StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage, refused, throttled

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The worker is gone: nothing catches it."""


def start(connection: Connection) -> RematchRun:
    return start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)


def statuses(connection: Connection) -> dict[str, str]:
    return dict(UserMatch.objects.filter(connection=connection).values_list("staff__email", "status"))


def make_known(fake: FakePlatform, people: list[StaffMember]) -> None:
    for member in people:
        fake.knows(member.email)


def let_the_lease_run_out(run: RematchRun) -> None:
    RematchRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def make_due(run: RematchRun) -> None:
    RematchRun.objects.filter(pk=run.pk).update(due_at=Now())


# --- A run ------------------------------------------------------------------------------------------
def test_a_run_gives_everybody_a_status(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple, "Sam Okafor")
    make_member(maple, "Sky Ito", email="")
    make_member(maple, "Ada Moreau")
    make_member(maple, "Gus Guest")
    fake_teams.knows("sam@maple.example")
    fake_teams.knows("gus@maple.example", reason=MatchReason.GUEST)

    work_on_run(start(connection).pk)

    assert statuses(connection) == {
        "sam@maple.example": MatchStatus.MATCHED,
        "": MatchStatus.UNMATCHED,
        "ada@maple.example": MatchStatus.UNMATCHED,
        "gus@maple.example": MatchStatus.FORBIDDEN,
    }


def test_a_match_keeps_what_the_directory_said(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple, "Sam Okafor")
    fake_teams.knows("sam@maple.example", remote_id="oid-1", upn="Sam@Maple.example", name="Sam O.")

    work_on_run(start(connection).pk)

    match = UserMatch.objects.get()
    assert (match.remote_id, match.remote_upn, match.remote_name) == ("oid-1", "Sam@Maple.example", "Sam O.")
    assert (match.looked_up, match.reason, match.enabled) == ("sam@maple.example", "", False)


def test_an_empty_field_is_unmatched_without_a_call(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, match_field=MatchField.USERNAME)
    make_member(maple, "Sam Okafor", username="")

    work_on_run(start(connection).pk)

    assert (UserMatch.objects.get().reason, fake_teams.asked) == (MatchReason.FIELD_EMPTY, [])


def test_the_field_that_the_admin_chose_is_looked_up(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, match_field=MatchField.USERNAME)
    make_member(maple, "Sam Okafor", username="sam@contoso.example")

    work_on_run(start(connection).pk)

    assert fake_teams.asked == [["sam@contoso.example"]]


def test_people_who_left_and_other_organisations_are_not_asked_for(fake_teams: FakePlatform) -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    connection = make_connection(maple)
    make_member(maple, "Sam Okafor")
    make_member(maple, "Lea Left", is_active=False)
    make_member(cedar, "Otto Brandt")

    work_on_run(start(connection).pk)

    assert fake_teams.asked == [["sam@maple.example"]]


def test_the_wish_to_have_video_calls_survives_a_run(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple), enabled=True)

    work_on_run(start(connection).pk)

    match = UserMatch.objects.get()
    assert (match.enabled, match.status) == (True, MatchStatus.UNMATCHED)


def test_a_run_counts_before_and_after_and_lists_who_changed(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    ada = make_member(maple, "Ada Moreau")
    make_match(connection, sam)
    make_match(connection, sky)
    make_known(fake_teams, [sky, ada])

    run = start(connection)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.total) == (RematchState.SUCCEEDED, 3, 3)
    assert run.counts_before == {"checking": 1, "matched": 2, "unmatched": 0, "forbidden": 0}
    assert run.counts_after == {"checking": 0, "matched": 2, "unmatched": 1, "forbidden": 0}
    changes = run.changes.values_list("staff", "before", "after", "looked_up", "reason")
    assert list(changes) == [
        (sam.pk, "matched", "unmatched", sam.email, "not_found"),
        (ada.pk, "checking", "matched", ada.email, ""),
    ]


def test_a_finished_run_is_a_line_of_the_audit_trail(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    ada = make_member(maple, "Ada Moreau", role="admin")
    fake_teams.knows(ada.email)

    work_on_run(start_run(connection, trigger=RematchTrigger.ADMIN, started_by=ada).pk)

    event = connection.events.get()
    assert (event.kind, event.actor) == ("rematched", ada)
    assert event.detail == "1 matched, 0 unmatched, 0 forbidden."


def test_two_starts_are_one_run(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())

    assert start(connection) == start(connection)


def test_a_run_after_a_finished_one_is_another(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    first = start(connection)
    work_on_run(first.pk)

    assert start(connection) != first


def test_a_finished_run_that_is_worked_on_again_asks_nobody(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    work_on_run(run.pk)

    work_on_run(run.pk)

    assert fake_teams.calls["find"] == 1


@pytest.mark.parametrize("directory", DirectoryState.values)
@pytest.mark.parametrize("coverage", Coverage.values)
@pytest.mark.parametrize("reason", ["", *MatchReason])
def test_the_status_that_is_reckoned_is_the_one_that_is_stored(
    directory: str, coverage: str, reason: str
) -> None:
    maple = make_organization()
    match = make_match(
        make_connection(maple), make_member(maple), directory=directory, coverage=coverage, reason=reason
    )

    match.refresh_from_db()

    assert derived_status(match) == match.status


# --- Begun again, and ended ------------------------------------------------------------------------
def test_a_run_that_is_begun_again_asks_for_everybody_anew(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    ada = make_member(maple, "Ada Moreau", role="admin")
    people = make_staff(maple, 2)
    make_known(fake_teams, [ada, *people])
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", outage())
    run = start(connection)
    work_on_run(run.pk)

    again = restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=ada)
    work_on_run(again.pk)

    again.refresh_from_db()
    emails = [member.email for member in (ada, *people)]
    assert fake_teams.asked == [emails[:2], emails[:2], emails[2:]]
    assert (again.pk, again.trigger, again.started_by) == (run.pk, RematchTrigger.REAUTHORIZED, ada)
    assert (again.state, again.done, again.total) == (RematchState.SUCCEEDED, 3, 3)


def test_a_worker_that_is_busy_with_a_run_that_is_begun_again_writes_nothing(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    fake_teams.during(
        "find", lambda: restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=None)
    )

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, UserMatch.objects.count()) == (RematchState.RUNNING, 0, 0)


def test_a_run_is_begun_again_where_none_is_under_way(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    first = start(connection)
    work_on_run(first.pk)

    second = restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=None)

    assert (second.state, second.pk == first.pk) == (RematchState.RUNNING, False)


def test_an_ended_run_says_why_and_its_worker_writes_nothing(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    run = start(connection)
    fake_teams.during("find", lambda: end_runs(connection.pk, "The connection was disconnected."))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error, run.done) == (RematchState.FAILED, "The connection was disconnected.", 0)
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_only_runs_of_the_connection_that_are_under_way_are_ended(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    other = make_connection(make_organization("Cedar Bank"))
    finished = start(connection)
    work_on_run(finished.pk)
    elsewhere = start(other)

    ended = end_runs(connection.pk, "The connection was disconnected.")

    states = dict(RematchRun.objects.values_list("pk", "state"))
    assert ended == 0
    assert states == {finished.pk: RematchState.SUCCEEDED, elsewhere.pk: RematchState.RUNNING}


# --- Size -------------------------------------------------------------------------------------------
def test_two_thousand_people_take_seven_calls(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 2000))

    run = start(connection)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert run.counts_after["matched"] == 2000
    assert fake_teams.calls == {"open_directory": 1, "find": 7}


def test_who_changed_is_kept_of_the_last_five_runs(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    runs = []
    for number in range(7):
        fake_teams.people.clear()
        if number % 2:
            fake_teams.knows(sam.email)
        runs.append(start(connection))
        work_on_run(runs[-1].pk)

    kept = list(MatchChange.objects.order_by("run").values_list("run", flat=True))

    assert kept == [run.pk for run in runs[2:]]


@pytest.mark.parametrize("how_many", [1, 3])
def test_a_run_takes_the_same_queries_for_any_number_of_people(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries, how_many: int
) -> None:
    maple = make_organization()
    connection = make_connection(maple, last_success_at=timezone.now())
    make_known(fake_teams, make_staff(maple, how_many))
    run = start(connection)

    with django_assert_num_queries(23):
        work_on_run(run.pk)


# --- Trouble ----------------------------------------------------------------------------------------
def test_a_killed_run_goes_on_where_it_was(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    people = make_staff(maple, 5)
    make_known(fake_teams, people)
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", Killed())
    run = start(connection)

    with pytest.raises(Killed):
        work_on_run(run.pk)
    let_the_lease_run_out(run)
    work_on_run(run.pk)

    run.refresh_from_db()
    emails = [member.email for member in people]
    assert fake_teams.asked == [emails[:2], emails[2:4], emails[4:]]
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 5)


def test_a_run_killed_before_its_chunk_was_written_asks_for_that_chunk_again(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 2))
    fake_teams.fail("find", Killed(), after=True)
    run = start(connection)

    with pytest.raises(Killed):
        work_on_run(run.pk)
    let_the_lease_run_out(run)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.counts_after["matched"]) == (RematchState.SUCCEEDED, 2, 2)


def test_a_run_that_somebody_works_on_is_left_alone(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    fake_teams.during("find", lambda: work_on_run(run.pk))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.done, fake_teams.calls["find"]) == (1, 1)


def test_a_worker_that_was_overtaken_writes_nothing(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    run = start(connection)

    def overtake() -> None:
        let_the_lease_run_out(run)
        fake_teams.knows(sam.email)
        work_on_run(run.pk)
        fake_teams.people.clear()

    fake_teams.during("find", overtake)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 1)
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_an_outage_waits_on_the_row_and_goes_on_from_the_cursor(
    fake_teams: FakePlatform, settings: Settings
) -> None:
    settings.MEETING_BACKOFF_SECONDS = 100
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 4))
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", outage())
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.attempts) == (RematchState.RUNNING, 2, 1)
    assert run.error == "The fake platform cannot be reached."
    assert 70 < (run.due_at - timezone.now()).total_seconds() <= 100
    make_due(run)
    work_on_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done, run.error) == (RematchState.SUCCEEDED, 4, "")


def test_the_pauses_grow_while_the_outage_lasts(fake_teams: FakePlatform, settings: Settings) -> None:
    settings.MEETING_BACKOFF_SECONDS = 100
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", outage(), times=3)
    run = start(connection)
    waits = []

    for _ in range(3):
        work_on_run(run.pk)
        run.refresh_from_db()
        waits.append((run.due_at - timezone.now()).total_seconds())
        make_due(run)

    assert 70 < waits[0] <= 100 < 140 < waits[1] <= 200 < 290 < waits[2] <= 400


def test_a_run_before_its_time_is_not_worked_on(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", outage())
    run = start(connection)
    work_on_run(run.pk)

    work_on_run(run.pk)

    assert fake_teams.calls["find"] == 1


def test_being_told_to_wait_makes_everybody_wait(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", throttled(600))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert run.state == RematchState.RUNNING
    assert connection.paused_until is not None
    assert 590 < (connection.paused_until - timezone.now()).total_seconds() <= 600
    assert 590 < (run.due_at - timezone.now()).total_seconds() <= 600


def test_a_refused_connection_ends_the_run_and_everybody_keeps_the_status(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    fake_teams.refuse("find", connection)
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.error) == (
        RematchState.FAILED,
        "The fake platform no longer accepts the sign-in.",
    )
    assert (connection.status, connection.status_reason) == (
        ConnectionStatus.NEEDS_REAUTHORIZATION,
        "The fake platform no longer accepts the sign-in.",
    )
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_an_operators_fault_leaves_the_connection_connected_and_the_run_waiting(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("open_directory", PlatformError(ErrorKind.OPERATOR, "The client secret expired."))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.error) == (RematchState.RUNNING, "The client secret expired.")
    assert connection.status == ConnectionStatus.CONNECTED


def test_a_request_that_the_platform_calls_wrong_ends_the_run(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, "Report request 7.", request_id="7"))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error) == (RematchState.FAILED, "Report request 7.")
    assert run.finished_at is not None


def test_a_run_of_a_connection_that_is_not_connected_ends_without_a_call(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    make_member(maple)
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, fake_teams.calls) == (RematchState.FAILED, {})
    assert run.error == "Microsoft Teams is not connected. Everybody is rematched after Reauthorize."


def test_somebody_renamed_while_the_platform_answers_is_not_written(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    make_known(fake_teams, [sam, sky])
    fake_teams.during("find", lambda: StaffMember.objects.filter(pk=sam.pk).update(email="new@maple.example"))

    run = start(connection)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert statuses(connection) == {sky.email: MatchStatus.MATCHED}
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 2)


def test_a_long_run_hands_over_to_the_next_task(
    fake_teams: FakePlatform, settings: Settings, sent_tasks: list[tuple[object, ...]]
) -> None:
    settings.REMATCH_LEASE_SECONDS = 0
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 4))
    fake_teams.chunk_size = 2
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.lease_token) == (RematchState.RUNNING, 2, None)
    assert sent_tasks == [("integrations.work_on_rematch_run", run.pk)]


def test_beat_nudges_due_runs_only(fake_teams: FakePlatform, sent_tasks: list[tuple[object, ...]]) -> None:
    due = start(make_connection(make_organization()))
    paused = make_connection(
        make_organization("Cedar Bank"), paused_until=timezone.now() + timedelta(minutes=1)
    )
    start(paused)
    held = start(make_connection(make_organization("Birch Bank")))
    RematchRun.objects.filter(pk=held.pk).update(lease_until=Now() + timedelta(minutes=1))

    assert resume_rematch_runs() == 1
    assert sent_tasks == [("integrations.work_on_rematch_run", due.pk)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_share_no_work(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 20))
    fake_teams.chunk_size = 2
    run = start(connection)
    together = Barrier(4)

    def work() -> None:
        together.wait()
        work_on_run(run.pk)
        database.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    run.refresh_from_db()
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 20)
    assert fake_teams.calls == {"open_directory": 1, "find": 10}


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_start_at_once_start_one_run(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    together = Barrier(4)
    runs: list[int] = []

    def begin() -> None:
        together.wait()
        runs.append(start(connection).pk)
        database.close()

    admins = [Thread(target=begin) for _ in range(4)]
    for admin in admins:
        admin.start()
    for admin in admins:
        admin.join()

    assert (len(runs), len(set(runs))) == (4, 1)


def test_a_run_whose_sign_in_was_renewed_meanwhile_goes_on_later(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", refused())
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.attempts) == (RematchState.RUNNING, 1)
    assert connection.status == ConnectionStatus.CONNECTED


# --- Coverage ---------------------------------------------------------------------------------------
def test_coverage_is_asked_for_only_where_the_platform_needs_it(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    fake_teams.knows(sam.email)

    work_on_run(start(connection).pk)
    without = UserMatch.objects.get().coverage
    fake_teams.needs_coverage = True
    rematch_people(connection, [sam.pk])

    assert (without, UserMatch.objects.get().coverage) == (Coverage.NOT_NEEDED, Coverage.UNKNOWN)


@pytest.mark.parametrize(
    ("remote_id", "coverage"), [("oid-1", Coverage.COVERED), ("oid-2", Coverage.UNKNOWN)]
)
def test_coverage_is_forgotten_only_with_another_remote_user(
    fake_teams: FakePlatform, remote_id: str, coverage: Coverage
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam, remote_id="oid-1", coverage=Coverage.COVERED)
    fake_teams.needs_coverage = True
    fake_teams.knows(sam.email, remote_id=remote_id)

    rematch_people(connection, [sam.pk])

    assert UserMatch.objects.get().coverage == coverage


# --- Single people ----------------------------------------------------------------------------------
def test_only_the_people_who_were_named_are_asked_for(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple, "Sam Okafor")
    make_member(maple, "Sky Ito")
    otto = make_member(make_organization("Cedar Bank"), "Otto Brandt")

    rematch_people(connection, [sam.pk, otto.pk])

    assert fake_teams.asked == [[sam.email]]


def test_many_people_are_asked_for_in_chunks(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    people = make_staff(maple, 5)
    fake_teams.chunk_size = 2

    rematch_people(connection, [member.pk for member in people])

    assert [len(names) for names in fake_teams.asked] == [2, 2, 1]


def test_the_last_status_stands_when_the_platform_fails(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    fake_teams.fail("find", outage())

    rematch_people(connection, [sam.pk])

    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_a_refusal_while_rematching_one_person_is_the_connections(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    fake_teams.refuse("find", connection)

    rematch_people(connection, [make_member(maple).pk])

    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_a_paused_connection_is_not_called(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, paused_until=timezone.now() + timedelta(minutes=1))

    rematch_people(connection, [make_member(maple).pk])

    assert fake_teams.calls == {}


# --- Two people, one remote user --------------------------------------------------------------------
def test_people_who_share_a_remote_user_are_named(
    fake_teams: FakePlatform, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    for member in (sam, sky):
        make_match(connection, member, remote_id="oid-shared")
    make_match(connection, make_member(maple, "Ada Moreau"), remote_id="oid-own")
    make_match(connection, make_member(maple, "Lea Left", is_active=False), remote_id="oid-own")

    with django_assert_num_queries(1):
        shared = shared_remote_ids(connection, ["oid-shared", "oid-own", ""])
        names = {remote_id: [match.staff.name for match in rows] for remote_id, rows in shared.items()}

    assert names == {"oid-shared": ["Sam Okafor", "Sky Ito"]}


def test_both_who_lead_to_one_remote_user_are_matched(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    for member in (make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")):
        fake_teams.knows(member.email, remote_id="oid-shared")

    work_on_run(start(connection).pk)

    assert set(statuses(connection).values()) == {MatchStatus.MATCHED}

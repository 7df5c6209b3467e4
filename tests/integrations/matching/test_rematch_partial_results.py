"""Lookups that fail for some names: the others are stored, and only the rest is looked up again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.health import health_of
from integrations.matching.people import rematch_changed_staff
from integrations.matching.rematch_runs import restart_run, start_preview
from integrations.matching.rematch_worker import work_on_run
from integrations.models import Connection, MatchField, RematchRun, RematchState, RematchTrigger
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.values import IncompleteLookup, PlatformError
from staff.models import StaffMember
from tests.factories import make_connection, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.matching.matching_steps import make_known, start, statuses
from tests.messages import message

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(fake_teams: FakePlatform) -> list[StaffMember]:
    """Five staff members of Maple, all known to the platform."""
    maple = make_organization()
    make_connection(maple)
    members = make_staff(maple, 5)
    make_known(fake_teams, members)
    return members


@pytest.fixture
def connection(people: list[StaffMember]) -> Connection:
    return Connection.objects.get()


def answer_only(fake: FakePlatform, people: list[StaffMember], error: PlatformError) -> None:
    """Answer only for these people in the next lookup."""
    results = {member.email: fake.people[member.email.lower()] for member in people}
    fake.fail("find", IncompleteLookup(error, results))


def work(run: RematchRun) -> RematchRun:
    """Let a worker continue the run, after any pause."""
    Connection.objects.update(paused_until=None)
    RematchRun.objects.filter(pk=run.pk).update(due_at=Now() - timedelta(seconds=1))
    work_on_run(run.pk)
    run.refresh_from_db()
    return run


def unusable() -> PlatformError:
    return PlatformError(ErrorKind.UNUSABLE, message("Not what was asked for."))


@pytest.mark.parametrize("answered", [[0, 1], [1, 3], [4], [0, 1, 2, 4]])
def test_only_people_without_a_result_are_looked_up_again(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection, answered: list[int]
) -> None:
    answer_only(fake_teams, [people[number] for number in answered], throttled(30))
    run = work(start(connection))
    done_at_first = run.done

    work(run)

    rest = [member.email for number, member in enumerate(people) if number not in answered]
    assert fake_teams.queried == [rest]
    assert (done_at_first, run.state, run.done) == (len(answered), RematchState.SUCCEEDED, 5)
    assert set(statuses(connection).values()) == {"matched"}
    assert len(statuses(connection)) == 5


def test_the_cursor_stops_before_the_first_person_without_a_result(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    answer_only(fake_teams, [people[0], people[1], people[3]], throttled(30))

    run = work(start(connection))

    assert (run.cursor, run.done, run.attempts) == (people[1].pk, 3, 1)


def test_progress_shortens_the_next_pause(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", outage(), times=5)
    run = start(connection)
    for _ in range(5):
        work(run)
    answer_only(fake_teams, people[:1], outage())

    work(run)

    assert run.attempts == 1


def test_without_any_result_nothing_is_stored(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    answer_only(fake_teams, [], throttled(30))

    run = work(start(connection))

    assert (run.cursor, run.done, statuses(connection)) == (0, 0, {})


def test_a_run_that_starts_again_looks_everyone_up(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    answer_only(fake_teams, people[2:], throttled(30))
    run = work(start(connection))

    restart_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    work(run)

    assert fake_teams.queried == [[member.email for member in people]]
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 5)


def test_a_preview_keeps_only_the_results_before_the_first_gap(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    for number, member in enumerate(people):
        StaffMember.objects.filter(pk=member.pk).update(username=f"user{number}@maple.example")
        fake_teams.knows(f"user{number}@maple.example")
    names = [f"user{number}@maple.example" for number in range(5)]
    fake_teams.fail(
        "find", IncompleteLookup(throttled(30), {name: fake_teams.people[name] for name in names if "2" not in name})
    )
    run = work(start_preview(connection, MatchField.USERNAME, started_by=None))
    done_at_first = run.done

    work(run)

    assert fake_teams.queried == [names[2:]]
    assert (done_at_first, run.state, run.done) == (2, RematchState.SUCCEEDED, 5)
    assert run.counts_after["matched"] == 5


def test_people_who_changed_are_stored_as_far_as_the_platform_answered(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    answer_only(fake_teams, [people[1], people[2]], throttled(30))

    rematch_changed_staff()
    Connection.objects.update(paused_until=None)
    rematch_changed_staff()

    assert fake_teams.queried == [[people[number].email for number in (0, 3, 4)]]
    assert set(statuses(connection).values()) == {"matched"}


# --- Lookups of changed staff that fail again and again -----------------------------------------------
def sweeps_until_due(connection: Connection, sweeps: int) -> int:
    """Sweep so many times, a quarter of an hour apart, and return how many of the sweeps called the platform."""
    calls = 0
    for _ in range(sweeps):
        rematch_changed_staff()
        before, connection.lookup_failures = connection.lookup_failures, Connection.objects.get().lookup_failures
        calls += connection.lookup_failures > before
        Connection.objects.update(lookup_due_at=F("lookup_due_at") - timedelta(minutes=15))
    return calls


def test_a_sweep_that_failed_is_not_repeated_at_once(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", unusable())

    rematch_changed_staff()
    rematch_changed_staff()

    assert fake_teams.queried == []
    assert statuses(connection) == {}


def test_changed_staff_are_looked_up_once_the_pause_is_over(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", unusable())
    rematch_changed_staff()
    Connection.objects.update(lookup_due_at=Now())

    rematch_changed_staff()

    connection.refresh_from_db()
    assert set(statuses(connection).values()) == {"matched"}
    assert (connection.lookup_failures, connection.lookup_due_at) == (0, None)


@pytest.mark.parametrize("kind", [ErrorKind.UNUSABLE, ErrorKind.BUG, ErrorKind.OPERATOR, ErrorKind.PERSON])
def test_after_several_failures_changed_staff_wait_a_day(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection, kind: ErrorKind
) -> None:
    fake_teams.fail("find", PlatformError(kind, message("Not what was asked for.")), times=20)

    calls = sweeps_until_due(connection, 20)

    connection.refresh_from_db()
    assert calls == MOST_UNUSABLE_ANSWERS
    assert connection.lookup_due_at is not None
    assert connection.lookup_due_at - timezone.now() > timedelta(hours=20)
    assert "could not be looked up 8 times in a row" in health_of(connection).sentence


def test_an_outage_makes_changed_staff_wait_only_for_its_end(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", outage())

    rematch_changed_staff()
    rematch_changed_staff()

    assert set(statuses(connection).values()) == {"matched"}


def test_a_rematch_of_everyone_ends_the_pause(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", unusable())
    rematch_changed_staff()

    work(start(connection))

    connection.refresh_from_db()
    assert (connection.lookup_failures, connection.lookup_due_at) == (0, None)


# --- Unusable answers -------------------------------------------------------------------------------
def test_an_unusable_answer_is_repeated_a_few_times(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", unusable(), times=MOST_UNUSABLE_ANSWERS - 1)
    run = start(connection)

    states = [work(run).state for _ in range(MOST_UNUSABLE_ANSWERS)]

    assert states == [RematchState.RUNNING] * (MOST_UNUSABLE_ANSWERS - 1) + [RematchState.SUCCEEDED]


def test_after_several_unusable_answers_the_run_fails_and_says_so(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    answer_only(fake_teams, people[1:], unusable())
    fake_teams.fail("find", unusable(), times=MOST_UNUSABLE_ANSWERS)
    run = start(connection)

    for _ in range(MOST_UNUSABLE_ANSWERS):
        work(run)

    assert (run.state, run.done) == (RematchState.FAILED, 4)
    assert f"answered {MOST_UNUSABLE_ANSWERS} times in a row" in str(run.error)


def test_an_outage_before_it_does_not_shorten_the_count(
    fake_teams: FakePlatform, people: list[StaffMember], connection: Connection
) -> None:
    fake_teams.fail("find", outage(), times=MOST_UNUSABLE_ANSWERS)
    fake_teams.fail("find", unusable())
    run = start(connection)

    states = {work(run).state for _ in range(MOST_UNUSABLE_ANSWERS + 1)}

    assert states == {RematchState.RUNNING}

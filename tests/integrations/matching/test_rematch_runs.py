"""Rematch runs: results, counts, restart and end."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.event_text import event_text
from integrations.matching.rematch_runs import end_runs, restart_run, start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.models import (
    DirectoryState,
    HostPermission,
    MatchChange,
    MatchField,
    MatchStatus,
    RematchRun,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from integrations.models.matches import derived_status
from integrations.platforms.values import MatchReason
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.matching.matching_steps import make_known, start, statuses
from tests.messages import message

pytestmark = pytest.mark.django_db


# --- A run ------------------------------------------------------------------------------------------


def test_a_run_gives_all_staff_a_status(fake_teams: FakePlatform) -> None:
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


def test_a_match_stores_the_directory_result(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple, "Sam Okafor")
    fake_teams.knows("sam@maple.example", remote_id="oid-1", user_name="Sam@Maple.example", name="Sam O.")

    work_on_run(start(connection).pk)

    match = UserMatch.objects.get()
    assert (match.remote_id, match.remote_user_name, match.remote_name) == (
        "oid-1",
        "Sam@Maple.example",
        "Sam O.",
    )
    assert (match.queried_name, match.reason, match.enabled) == ("sam@maple.example", "", False)


def test_an_empty_field_is_unmatched_without_a_call(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, match_field=MatchField.USERNAME)
    make_member(maple, "Sam Okafor", username="")

    work_on_run(start(connection).pk)

    assert (UserMatch.objects.get().reason, fake_teams.queried) == (MatchReason.FIELD_EMPTY, [])


def test_the_chosen_match_field_is_looked_up(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, match_field=MatchField.USERNAME)
    make_member(maple, "Sam Okafor", username="sam@contoso.example")

    work_on_run(start(connection).pk)

    assert fake_teams.queried == [["sam@contoso.example"]]


def test_former_staff_and_other_organisations_are_not_looked_up(fake_teams: FakePlatform) -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    connection = make_connection(maple)
    make_member(maple, "Sam Okafor")
    make_member(maple, "Lea Left", is_active=False)
    make_member(cedar, "Otto Brandt")

    work_on_run(start(connection).pk)

    assert fake_teams.queried == [["sam@maple.example"]]


def test_a_run_does_not_change_the_video_calls_switch(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_match(connection, make_member(maple), enabled=True)

    work_on_run(start(connection).pk)

    match = UserMatch.objects.get()
    assert (match.enabled, match.status) == (True, MatchStatus.UNMATCHED)


def test_a_run_counts_before_and_after_and_lists_changes(fake_teams: FakePlatform) -> None:
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
    changes = run.changes.values_list("staff", "before", "after", "queried_name", "reason")
    assert list(changes) == [
        (sam.pk, "matched", "unmatched", sam.email, "not_found"),
        (ada.pk, "checking", "matched", ada.email, ""),
    ]


def test_a_finished_run_records_an_event(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    ada = make_member(maple, "Ada Moreau", role="admin")
    fake_teams.knows(ada.email)

    work_on_run(start_run(connection, trigger=RematchTrigger.ADMIN, started_by=ada).pk)

    event = connection.events.get()
    assert (event.kind, event.actor) == ("rematched", ada)
    assert event_text(event) == "1 matched, 0 unmatched, 0 forbidden."


def test_a_second_start_returns_the_same_run(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())

    assert start(connection) == start(connection)


def test_a_start_after_a_finished_run_creates_another(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    first = start(connection)
    work_on_run(first.pk)

    assert start(connection) != first


def test_work_on_a_finished_run_makes_no_call(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    work_on_run(run.pk)

    work_on_run(run.pk)

    assert fake_teams.calls["find"] == 1


@pytest.mark.parametrize("directory", DirectoryState.values)
@pytest.mark.parametrize("host_permission", HostPermission.values)
@pytest.mark.parametrize("reason", ["", *MatchReason])
def test_the_derived_status_equals_the_stored_one(directory: str, host_permission: str, reason: str) -> None:
    maple = make_organization()
    match = make_match(
        make_connection(maple),
        make_member(maple),
        directory=directory,
        host_permission=host_permission,
        reason=reason,
    )

    match.refresh_from_db()

    assert derived_status(match) == match.status


# --- Restart and end ------------------------------------------------------------------------------


def test_a_restarted_run_looks_up_all_staff_again(fake_teams: FakePlatform) -> None:
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
    assert fake_teams.queried == [emails[:2], emails[:2], emails[2:]]
    assert (again.pk, again.trigger, again.started_by) == (run.pk, RematchTrigger.REAUTHORIZED, ada)
    assert (again.state, again.done, again.total) == (RematchState.SUCCEEDED, 3, 3)


def test_the_worker_of_a_restarted_run_writes_nothing(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    fake_teams.during("find", lambda: restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=None))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, UserMatch.objects.count()) == (RematchState.RUNNING, 0, 0)


def test_a_restart_without_a_running_run_creates_one(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    first = start(connection)
    work_on_run(first.pk)

    second = restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=None)

    assert (second.state, second.pk == first.pk) == (RematchState.RUNNING, False)


def test_an_ended_run_has_a_reason_and_its_worker_writes_nothing(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    run = start(connection)
    fake_teams.during("find", lambda: end_runs(connection.pk, message("The connection was disconnected.")))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, str(run.error), run.done) == (
        RematchState.FAILED,
        "The connection was disconnected.",
        0,
    )
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_only_running_runs_of_the_connection_are_ended(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    other = make_connection(make_organization("Cedar Bank"))
    finished = start(connection)
    work_on_run(finished.pk)
    elsewhere = start(other)

    ended = end_runs(connection.pk, message("The connection was disconnected."))

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


def test_changes_of_the_last_five_runs_are_kept(fake_teams: FakePlatform) -> None:
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

    with django_assert_num_queries(29):
        work_on_run(run.pk)

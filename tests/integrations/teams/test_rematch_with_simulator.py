"""Rematches against the simulated Microsoft 365."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Value
from django.db.models.functions import Concat, Now

from integrations import circuit_breaker
from integrations.matching import rematch_worker
from integrations.matching.rematch_runs import start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.matching.results import look_up
from integrations.models import Connection, MatchField, RematchRun, RematchTrigger, UserMatch
from integrations.platforms.values import MeetingSpec
from integrations.teams.platform import Teams
from integrations.teams.users.sources import FilteredSource
from simulator import people
from staff.models import StaffMember
from tests.factories import make_connection, make_member, make_staff
from tests.simulator.client import Simulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulated(maple: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> Connection:
    """A service account connection of Maple, signed in at the simulator."""
    settings.MICROSOFT_READ_TIMEOUT_SECONDS = 2.0
    monkeypatch.setattr(circuit_breaker, "FIRST_PAUSE_SECONDS", 100)
    connection = make_connection(maple)
    teams = connection.teams
    teams.account_oid = simulator.person(people.SERVICE_ACCOUNT)["id"]
    token = simulator.user_token(people.SERVICE_ACCOUNT)
    teams.tokens = {"access_token": token, "expires_at": datetime(2099, 1, 1, tzinfo=UTC).timestamp()}
    teams.save()
    return connection


def rematched(connection: Connection) -> RematchRun:
    """Return a run after one worker."""
    run = start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    work_on_run(run.pk)
    run.refresh_from_db()
    return run


def gone_on(run: RematchRun) -> RematchRun:
    """Return the run after its pause and another worker."""
    Connection.objects.update(paused_until=None)
    RematchRun.objects.filter(pk=run.pk).update(due_at=Now() - timedelta(seconds=1))
    work_on_run(run.pk)
    run.refresh_from_db()
    return run


def after_the_first_answers(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Run `act` after the first lookup of a run. A lookup has two names."""
    answered: list[object] = []

    def look_up_and_act(*args: Any) -> Any:
        answers = look_up(*args)
        if not answered:
            answered.append(act())
        return answers

    monkeypatch.setattr(FilteredSource, "chunk_size", 2)
    monkeypatch.setattr(rematch_worker, "look_up", look_up_and_act)


def statuses() -> list[str]:
    return list(UserMatch.objects.order_by("staff").values_list("status", flat=True))


# --- Names ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("upn", "typed", "status"),
    [
        ("o'brien@maple.example", "o'brien@maple.example", "matched"),
        ("sam+desk@maple.example", "sam+desk@maple.example", "matched"),
        ("Mixed.Case@maple.example", "mIXED.cASE@Maple.Example", "matched"),
        ("spaced@maple.example", "  spaced@maple.example ", "matched"),
        ("guest_partner.example#EXT#@contoso.example", "guest_partner.example#EXT#@contoso.example", "forbidden"),
        ("somebody@maple.example", "", "unmatched"),
        ("somebody@maple.example", "   ", "unmatched"),
    ],
)  # fmt: skip
def test_a_user_name_is_found_ignoring_case(
    maple: Any, simulated: Connection, simulator: Simulator, upn: str, typed: str, status: str
) -> None:
    simulator.control("people", people=[upn])
    Connection.objects.update(match_field=MatchField.USERNAME)
    make_member(maple, "Sam Okafor", username=typed)

    run = rematched(simulated)

    assert (run.state, statuses()) == ("succeeded", [status])


def test_two_staff_with_one_microsoft_user_are_both_matched(maple: Any, simulated: Connection) -> None:
    Connection.objects.update(match_field=MatchField.USERNAME)
    for number, stored in enumerate(("sam@maple.example", " SAM@maple.example")):
        member = make_member(maple, "Sam Okafor", email=f"{number}@maple.example", username=f"sam{number}")
        # An expression is stored as it is, like rows from before usernames were cleaned.
        StaffMember.objects.filter(pk=member.pk).update(username=Concat(Value(stored), Value("")))

    rematched(simulated)

    assert statuses() == ["matched", "matched"]
    assert UserMatch.objects.values("remote_id").distinct().count() == 1


# --- People who change ------------------------------------------------------------------------------
def test_a_user_who_was_renamed_since_the_match_still_gets_into_meetings(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    make_member(maple, "Sam Okafor")
    rematched(simulated)
    simulator.control("person", user="sam@maple.example", upn="samuel@maple.example")
    match, teams = UserMatch.objects.get(), Teams()
    spec = MeetingSpec(
        key=UUID("7d9f7a0e-1f6f-4c55-8f0a-0d3c2b1a0002"),
        organizer_id=teams.organizer_id(simulated, match),
        subject="Mortgage review with Cleo",
        starts_at=datetime(2026, 12, 1, 15, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 15, 30, tzinfo=UTC),
        attendees=teams.attendees(simulated, match),
    )

    meeting = teams.create_meeting(simulated, spec)
    warning = teams.update_meeting(simulated, meeting.remote_id, spec)

    again = teams.read_meeting(simulated, spec.organizer_id, meeting.remote_id)
    assert not warning
    assert again.attendee_ids == {simulator.person("samuel@maple.example")["id"]}


def test_a_user_who_was_deleted_is_unmatched_by_the_next_rematch(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    make_member(maple, "Sam Okafor")
    rematched(simulated)
    simulator.control("person", user="sam@maple.example", delete=True)

    run = rematched(simulated)

    change = run.changes.get()
    assert (change.before, change.after, statuses()) == ("matched", "unmatched", ["unmatched"])


# --- Trouble at Microsoft ---------------------------------------------------------------------------
def test_a_throttled_item_of_a_batch_pauses_the_run_until_retry_after(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    make_staff(maple, 40)
    simulator.control("fault", kind="throttle", regex=r"/v1\.0/users", retry_after=120, count=1)

    run = rematched(simulated)

    simulated.refresh_from_db()
    assert (run.state, run.done, UserMatch.objects.count()) == ("running", 0, 0)
    assert simulated.paused_until is not None
    assert 100 < (run.due_at - datetime.now(UTC)).total_seconds() <= 120
    assert (gone_on(run).state, run.done) == ("succeeded", 40)


def test_permanent_throttling_pauses_the_run_and_never_ends_it(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    make_member(maple, "Sam Okafor")
    simulator.control("fault", kind="throttle", service="graph", retry_after=10)
    run = rematched(simulated)

    states = [gone_on(run).state for _ in range(5)]
    simulator.control("clear-faults")

    assert states == ["running"] * 5
    assert (gone_on(run).state, statuses()) == ("succeeded", ["matched"])


def test_a_rematch_continues_after_an_expired_page_token(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    simulator.control("people", domain="maple.example", generate=1100)
    make_staff(maple, 700)
    expired = {"kind": "error", "status": 400, "code": "Directory_ExpiredPageToken", "regex": "skiptoken"}
    simulator.control("fault", **expired, count=1)

    run = rematched(simulated)

    assert (run.state, run.done, UserMatch.objects.count()) == ("succeeded", 700, 700)


def test_a_refused_name_does_not_stop_the_rematch(maple: Any, simulated: Connection, simulator: Simulator) -> None:
    for name in ("Sam", "Anna", "Odd", "Sky"):
        make_member(maple, name)
    simulator.control("fault", kind="error", status=400, code="BadRequest", regex="odd")

    run = rematched(simulated)

    reasons = UserMatch.objects.order_by("staff__first_name").values_list("staff__first_name", "status", "reason")
    assert run.state == "succeeded"
    assert list(reasons) == [
        ("Anna", "matched", ""),
        ("Odd", "unmatched", "lookup_refused"),
        ("Sam", "matched", ""),
        ("Sky", "matched", ""),
    ]


# --- A small quota ----------------------------------------------------------------------------------
def make_known_staff(maple: Any, simulator: Simulator, how_many: int) -> None:
    simulator.control("people", people=[member.email for member in make_staff(maple, how_many)])


def next_windows(run: RematchRun, simulator: Simulator, units: int) -> list[int]:
    """Continue the run, each time with a new quota of units. Return the number of people done after each window."""
    done = [run.done]
    while run.state == "running" and len(done) < 100:
        simulator.control("behaviour", resource_units=units)
        done.append(gone_on(run).done)
    return done


def statuses_of_directory_requests(simulator: Simulator) -> Counter[tuple[str, int]]:
    """Count the requests and batch items by path and status."""
    logged = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"]
    items = [item for entry in logged for item in entry.get("items") or [entry]]
    return Counter((item["target"].partition("?")[0], item["status"]) for item in items if "/users" in item["target"])


def test_under_a_small_quota_the_rematch_switches_to_the_cheaper_way(
    maple: Any, simulated: Connection, simulator: Simulator
) -> None:
    simulator.control("people", domain="maple.example", generate=3600)
    make_known_staff(maple, simulator, 1500)
    simulator.control("behaviour", resource_units=40)

    run = rematched(simulated)
    first = run.done
    windows = next_windows(run, simulator, units=40)

    requests = statuses_of_directory_requests(simulator)
    assert first > 0
    assert (run.state, run.done, len(windows)) == ("succeeded", 1500, 2)
    assert requests["/v1.0/users/$count", 200] == 1


@pytest.mark.parametrize("units", [1, 2, 3])
def test_there_is_progress_under_any_quota(maple: Any, simulated: Connection, simulator: Simulator, units: int) -> None:
    make_known_staff(maple, simulator, 30)
    make_staff(maple, 15)
    simulator.control("behaviour", resource_units=units)

    run = rematched(simulated)
    windows = next_windows(run, simulator, units)

    found = [status for status in statuses() if status == "matched"]
    assert (run.state, run.done, len(found)) == ("succeeded", 45, 30)
    assert len(windows) <= 8


def test_only_refused_items_are_sent_again(maple: Any, simulated: Connection, simulator: Simulator) -> None:
    make_known_staff(maple, simulator, 60)
    simulator.control("behaviour", resource_units=3)

    run = rematched(simulated)
    next_windows(run, simulator, units=3)

    assert statuses_of_directory_requests(simulator) == {("/v1.0/users", 200): 4, ("/v1.0/users", 429): 1}


def test_a_failed_page_leaves_all_matches_unchanged(maple: Any, simulated: Connection, simulator: Simulator) -> None:
    simulator.control("people", domain="maple.example", generate=1100)
    make_staff(maple, 700)
    simulator.control("fault", kind="unavailable", regex="skiptoken", count=1)

    run = rematched(simulated)

    assert (run.state, run.done, UserMatch.objects.count()) == ("running", 0, 0)
    assert (gone_on(run).state, run.done) == ("succeeded", 700)


def test_a_consent_revoked_between_two_lookups_ends_the_run(
    maple: Any, simulated: Connection, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Sam", "Anna", "Ben", "Chloe"):
        make_member(maple, name)
    rematched(simulated)
    after_the_first_answers(monkeypatch, lambda: simulator.control("fault", kind="forbidden"))

    run = rematched(simulated)

    simulated.refresh_from_db()
    assert (run.state, run.done, simulated.status) == ("failed", 2, "needs_reauthorization")
    assert str(run.error) == str(simulated.status_reason)
    assert statuses() == ["matched"] * 4

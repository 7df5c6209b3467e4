"""Teams against the simulated Microsoft 365, with the same requests as in production."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from integrations.matching.rematch_runs import start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.models import Connection, RematchTrigger, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import Attendee, DirectoryResult, MatchReason, MeetingSpec, PlatformError
from integrations.teams.models import Method
from integrations.teams.platform import Teams
from simulator import people
from tests.factories import make_connection, make_match, make_member

TEAMS = Teams()
MAPLE = [f"{name}@maple.example" for name in ("sam", "frank", "grace", "hugo", "ivy")]


def sign_in(connection: Connection, token: str, **fields) -> None:
    """Give the connection this token and other columns of its Teams row."""
    tokens = {"access_token": token, "expires_at": datetime(2099, 1, 1, tzinfo=UTC).timestamp()}
    for name, value in {"tokens": tokens, **fields}.items():
        setattr(connection.teams, name, value)
    connection.teams.save()


@pytest.fixture
def simulated(maple, settings, simulator):
    """A service account connection of Maple, signed in at the simulator."""
    settings.MICROSOFT_READ_TIMEOUT_SECONDS = 2.0
    connection = make_connection(maple)
    oid = simulator.person(people.SERVICE_ACCOUNT)["id"]
    sign_in(connection, simulator.user_token(people.SERVICE_ACCOUNT), account_oid=oid)
    return connection


@pytest.fixture
def spec(simulated, simulator):
    sam = simulator.person("sam@maple.example")
    return MeetingSpec(
        key=UUID("7d9f7a0e-1f6f-4c55-8f0a-0d3c2b1a0001"),
        organizer_id=simulated.teams.account_oid,
        subject="Mortgage review with Cleo",
        starts_at=datetime(2026, 12, 1, 15, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 15, 30, tzinfo=UTC),
        attendees=(Attendee(sam["id"], sam["upn"]),),
    )


@pytest.fixture
def by_policy(simulated, simulator):
    """The same connection by access policy, with consent and a global policy."""
    simulator.control("policy")
    simulator.control("consent")
    sign_in(
        simulated,
        "",
        method=Method.ACCESS_POLICY,
        granted=["OnlineMeetings.ReadWrite.All", "User.Read.All"],
    )
    return simulated


def find(connection, names):
    return TEAMS.open_directory(connection, len(names)).find(names)


def graph_requests(simulator) -> list[tuple[str, str]]:
    """Return method and path of each request to Graph."""
    logged = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"]
    return [(entry["method"], entry["target"].partition("?")[0]) for entry in logged if entry["service"] == "graph"]


def live_meetings(simulator):
    return [meeting for meeting in simulator.state("meetings") if not meeting["deleted"]]


# --- people -----------------------------------------------------------------------------------------
def test_basic_profiles_show_aliases_and_guests_but_not_disabled_users(simulated, simulator):
    found = find(simulated, MAPLE)

    assert {name: answer.reason for name, answer in found.items()} == {
        "sam@maple.example": None,
        "frank@maple.example": None,
        "grace@maple.example": MatchReason.GUEST,
        "hugo@maple.example": MatchReason.ALIAS,
        "ivy@maple.example": MatchReason.NOT_FOUND,
    }


def test_full_profiles_show_disabled_users(by_policy):
    found = find(by_policy, MAPLE)

    assert {name: answer.reason for name, answer in found.items()} == {
        "sam@maple.example": None,
        "frank@maple.example": MatchReason.DISABLED,
        "grace@maple.example": MatchReason.GUEST,
        "hugo@maple.example": MatchReason.ALIAS,
        "ivy@maple.example": MatchReason.NOT_FOUND,
    }


def test_a_match_holds_the_object_id_and_the_user_name_as_microsoft_writes_it(simulated, simulator):
    found = find(simulated, ["SAM@Maple.Example "])

    sam = simulator.person("sam@maple.example")
    assert found == {"SAM@Maple.Example ": DirectoryResult(sam["id"], "sam@maple.example", "Sam Okafor")}


def test_an_alias_is_not_matched_and_its_user_name_is_named(simulated):
    found = find(simulated, ["hugo@maple.example"])

    assert found["hugo@maple.example"] == DirectoryResult(
        name="Hugo Martin", reason=MatchReason.ALIAS, hint="hugo.martin@maple.example"
    )


def test_a_secondary_address_is_found_with_full_profiles_only(by_policy, simulator):
    simulator.control("person", user="sam@maple.example", aliases=["samuel@maple.example"])

    with_profiles = find(by_policy, ["samuel@maple.example"])["samuel@maple.example"]
    sign_in(by_policy, simulator.app_token("User.ReadBasic.All"), granted=["User.ReadBasic.All"])
    without = find(by_policy, ["samuel@maple.example"])["samuel@maple.example"]

    assert (with_profiles.reason, with_profiles.hint) == (MatchReason.ALIAS, "sam@maple.example")
    assert (without.reason, without.hint) == (MatchReason.NOT_FOUND, "")


def test_a_missing_licence_matters_if_the_person_organises(by_policy, simulator):
    simulator.control("person", user="sam@maple.example", licensed=False)

    by_app = find(by_policy, ["sam@maple.example"])["sam@maple.example"].reason
    sign_in(by_policy, simulator.app_token(), method=Method.SERVICE_ACCOUNT)
    by_account = find(by_policy, ["sam@maple.example"])["sam@maple.example"].reason

    assert (by_app, by_account) == (MatchReason.NO_LICENCE, None)


def test_an_apostrophe_a_plus_and_a_guests_own_name_are_found(simulated, simulator):
    names = ["o'brien@maple.example", "sam+video@maple.example", people.GUEST]
    simulator.control("people", people=names[:2])

    found = find(simulated, names)

    assert [found[name].user_name for name in names] == names


@pytest.mark.parametrize(
    ("how_many", "requests"),
    [
        (1, [("POST", "/v1.0/$batch")]),
        (300, [("POST", "/v1.0/$batch")]),
        (301, [("POST", "/v1.0/$batch")] * 2),
        # A tenant of 5,022 users: one count, then six pages instead of seventeen batches.
        (5000, [("GET", "/v1.0/users/$count")] + [("GET", "/v1.0/users")] * 6),
    ],
)
def test_requests_for_many_people(simulated, simulator, how_many, requests):
    simulator.control("people", generate=5000, domain="maple.example")
    names = [f"user{number:05d}@maple.example" for number in range(1, how_many + 1)]

    directory = TEAMS.open_directory(simulated, len(names))
    found, size = {}, directory.chunk_size
    for start in range(0, len(names), size):
        found.update(directory.find(names[start : start + size]))

    assert graph_requests(simulator) == requests
    assert sum(1 for answer in found.values() if answer.remote_id and answer.reason is None) == how_many


def test_a_few_people_in_a_large_tenant_are_queried_by_name(simulated, simulator):
    simulator.control("people", generate=5000, domain="maple.example")
    names = [f"user{number:05d}@maple.example" for number in range(1, 902)]

    TEAMS.open_directory(simulated, len(names)).find(names)

    assert graph_requests(simulator) == [("GET", "/v1.0/users/$count")] + [("POST", "/v1.0/$batch")] * 4


def test_listing_all_users_gives_the_same_results(simulated, simulator):
    by_name = find(simulated, MAPLE)

    from_memory = TEAMS.open_directory(simulated, 5000).find(MAPLE)

    assert from_memory == by_name
    assert ("GET", "/v1.0/users") in graph_requests(simulator)


def test_a_refused_user_lookup_concerns_the_connection(simulated, simulator):
    sign_in(simulated, simulator.user_token(people.SERVICE_ACCOUNT, "User.Read"))

    with pytest.raises(PlatformError) as failure:
        find(simulated, MAPLE)

    simulated.refresh_from_db()
    assert failure.value.kind == ErrorKind.CONNECTION
    assert (simulated.status, str(simulated.status_reason)) == (
        "needs_reauthorization",
        str(failure.value),
    )


def test_a_rematch_sets_the_statuses_of_maples_staff(simulated, maple):
    members = {name: make_member(maple, name) for name in ("Sam", "Frank", "Grace", "Hugo", "Ivy")}
    run = start_run(simulated, trigger=RematchTrigger.ADMIN, started_by=None)

    work_on_run(run.pk)

    matches = {name: UserMatch.objects.get(staff=member) for name, member in members.items()}
    assert {name: match.status for name, match in matches.items()} == {
        "Sam": "matched",
        "Frank": "matched",
        "Grace": "forbidden",
        "Hugo": "unmatched",
        "Ivy": "unmatched",
    }
    assert "hugo.martin@maple.example" in TEAMS.remedy(simulated, matches["Hugo"])


# --- meetings ---------------------------------------------------------------------------------------
def test_creating_twice_gives_one_meeting(simulated, simulator, spec):
    first = TEAMS.create_meeting(simulated, spec)
    second = TEAMS.create_meeting(simulated, replace(spec, subject="Something else"))

    assert (second.remote_id, second.join_url) == (first.remote_id, first.join_url)
    assert len(live_meetings(simulator)) == 1


def test_an_update_sets_everything_that_a_create_ignores(simulated, simulator, spec):
    meeting = TEAMS.create_meeting(simulated, spec)

    warning = TEAMS.update_meeting(simulated, meeting.remote_id, spec)

    (held,) = live_meetings(simulator)
    assert not warning
    assert held["attendees"] == [
        {
            "identity": {"user": {"id": spec.attendees[0].remote_id}},
            "upn": "sam@maple.example",
            "role": "coorganizer",
        }
    ]
    assert held["options"] == {
        "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": False},
        "allowedPresenters": "roleIsPresenter",
    }


def test_a_move_keeps_the_link_and_replaces_the_co_organizer(simulated, simulator, spec):
    meeting = TEAMS.create_meeting(simulated, spec)
    TEAMS.update_meeting(simulated, meeting.remote_id, spec)
    anna = simulator.person("anna@maple.example")
    moved = replace(
        spec,
        starts_at=datetime(2026, 12, 2, 9, tzinfo=UTC),
        ends_at=datetime(2026, 12, 2, 10, tzinfo=UTC),
        attendees=(Attendee(anna["id"], anna["upn"]),),
    )

    TEAMS.update_meeting(simulated, meeting.remote_id, moved)

    now = TEAMS.read_meeting(simulated, spec.organizer_id, meeting.remote_id)
    assert now.join_url == meeting.join_url
    assert (now.starts_at, now.ends_at) == (moved.starts_at, moved.ends_at)
    assert now.attendee_ids == {anna["id"]}


def test_a_deleted_meeting_may_be_deleted_again_and_is_gone_for_others(simulated, simulator, spec):
    meeting = TEAMS.create_meeting(simulated, spec)

    TEAMS.delete_meeting(simulated, spec.organizer_id, meeting.remote_id)
    TEAMS.delete_meeting(simulated, spec.organizer_id, meeting.remote_id)

    assert live_meetings(simulator) == []
    for ask in (
        lambda: TEAMS.read_meeting(simulated, spec.organizer_id, meeting.remote_id),
        lambda: TEAMS.update_meeting(simulated, meeting.remote_id, spec),
    ):
        with pytest.raises(PlatformError) as failure:
            ask()
        assert failure.value.kind == ErrorKind.GONE


def test_a_pause_is_in_seconds(simulated, simulator, spec):
    simulator.control("fault", kind="throttle", retry_after=7, service="graph")

    with pytest.raises(PlatformError) as failure:
        TEAMS.create_meeting(simulated, spec)

    assert (failure.value.kind, failure.value.retry_after) == (ErrorKind.THROTTLED, 7.0)
    assert failure.value.request_id != ""


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "truncated"},
        {"kind": "slow", "seconds": 3},
        {"kind": "server_error", "executed": True},
        {"kind": "html", "executed": True},
    ],
)
def test_a_write_without_a_usable_response_is_ambiguous_and_can_be_repeated(simulated, simulator, spec, fault):
    simulator.control("fault", count=1, regex="createOrGet", **fault)

    with pytest.raises(PlatformError) as failure:
        TEAMS.create_meeting(simulated, spec)
    TEAMS.create_meeting(simulated, spec)

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.OUTAGE, True)
    assert simulator.state("counters")["createOrGet.created"] == 1


def test_a_refused_tcp_connection_is_not_ambiguous(simulated, settings, spec):
    settings.MICROSOFT_SIMULATOR_URL = "http://127.0.0.1:1"

    with pytest.raises(PlatformError) as failure:
        TEAMS.create_meeting(simulated, spec)

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.OUTAGE, False)


def test_a_lost_read_is_an_outage_and_not_ambiguous(simulated, simulator, spec):
    meeting = TEAMS.create_meeting(simulated, spec)
    simulator.control("fault", kind="drop_after", count=1, method="GET")

    with pytest.raises(PlatformError) as failure:
        TEAMS.read_meeting(simulated, spec.organizer_id, meeting.remote_id)

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.OUTAGE, False)


def test_a_service_account_without_licence_is_named(simulated, simulator, spec):
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=False)

    with pytest.raises(PlatformError) as failure:
        TEAMS.create_meeting(simulated, spec)

    assert (failure.value.kind, failure.value.reason) == (ErrorKind.PERSON, None)
    assert people.SERVICE_ACCOUNT in str(failure.value)


def test_under_a_policy_the_staff_member_organises(by_policy, simulator, spec):
    sam = simulator.person("sam@maple.example")
    member = make_member(by_policy.organization)
    match = make_match(by_policy, member, remote_id=sam["id"])
    spec = replace(spec, organizer_id=TEAMS.organizer_id(by_policy, match), attendees=TEAMS.attendees(by_policy, match))

    meeting = TEAMS.create_meeting(by_policy, spec)
    warning = TEAMS.update_meeting(by_policy, meeting.remote_id, spec)

    (held,) = live_meetings(simulator)
    assert (held["organizer_id"], held["attendees"], str(warning)) == (sam["id"], [], "")


def test_without_a_policy_the_person_is_refused(by_policy, simulator, spec):
    simulator.control("policy", clear=True)
    spec = replace(spec, organizer_id=simulator.person("sam@maple.example")["id"])

    with pytest.raises(PlatformError) as failure:
        TEAMS.create_meeting(by_policy, spec)

    assert (failure.value.kind, failure.value.reason) == (ErrorKind.PERSON, MatchReason.NO_HOST_PERMISSION)


def test_the_lobby_policy_of_the_dashboard_is_sent(simulated, simulator, spec):
    sign_in(simulated, simulated.teams.tokens["access_token"], lobby_policy="nobody_waits")
    meeting = TEAMS.create_meeting(simulated, spec)

    TEAMS.update_meeting(simulated, meeting.remote_id, spec)

    (held,) = live_meetings(simulator)
    assert held["options"]["lobbyBypassSettings"] == {"scope": "everyone", "isDialInBypassEnabled": True}


@pytest.mark.parametrize(("refused", "warning"), [(1, "lobby settings"), (2, "co-organizer")])
def test_refused_options_leave_the_link_with_a_warning(simulated, simulator, spec, refused, warning):
    meeting = TEAMS.create_meeting(simulated, spec)
    simulator.control("fault", kind="error", status=403, code="Forbidden", message="", method="PATCH", count=refused)

    said = TEAMS.update_meeting(simulated, meeting.remote_id, replace(spec, subject="New"))

    assert warning in str(said)
    assert TEAMS.read_meeting(simulated, spec.organizer_id, meeting.remote_id).subject == "New"

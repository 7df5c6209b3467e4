"""Changes in the tenant from Graph's delta query."""

from __future__ import annotations

import pytest
import responses

from integrations.models import DriftFinding, DriftWatch
from integrations.monitoring.drift import watch_drift
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryChanges, PlatformError
from integrations.teams.models import Method
from integrations.teams.users.delta import UNKNOWN, changes_since
from tests.factories import make_connection, make_match, make_member
from tests.integrations.teams.test_with_simulator import graph_requests, sign_in

DELTA = "https://graph.microsoft.com/v1.0/users/delta"
LINK = f"{DELTA}?$deltatoken=opaque"
NEXT = f"{DELTA}?$skiptoken=opaque"


@pytest.fixture
def connected(maple):
    connection = make_connection(maple)
    connection.teams.granted = ["User.Read.All"]
    connection.teams.save(update_fields=["granted"])
    return connection


@pytest.fixture
def graph():
    with responses.RequestsMock() as server:
        yield server


def page(*rows: dict[str, object], **links: str) -> dict[str, object]:
    return {"value": list(rows), **{f"@odata.{name}": link for name, link in links.items()}}


def test_without_the_permission_no_request_is_sent(maple):
    assert changes_since(make_connection(maple), "") is None


def test_the_first_query_returns_only_a_link(connected, graph):
    graph.get(DELTA, json=page(deltaLink=LINK))

    assert changes_since(connected, "") == DirectoryChanges(LINK, is_complete=False)
    assert graph.calls[0].request.params["$deltatoken"] == "latest"


def test_a_first_query_that_lists_all_users_reports_no_changes(connected, graph):
    graph.get(DELTA, json=page({"id": "oid-1", "userPrincipalName": "sam@x.example"}, deltaLink=LINK))

    assert changes_since(connected, "") == DirectoryChanges(LINK, is_complete=False)


def test_changes_are_read_from_every_page(connected, graph):
    graph.get(LINK, json=page({"id": "oid-1", "userPrincipalName": "Sam@x.example"}, nextLink=NEXT))
    graph.get(
        NEXT,
        json=page({"id": "oid-2", "@removed": {"reason": "deleted"}}, deltaLink=f"{DELTA}?$deltatoken=2"),
    )

    assert changes_since(connected, LINK) == DirectoryChanges(
        f"{DELTA}?$deltatoken=2", frozenset(["oid-1", "oid-2"]), frozenset(["sam@x.example"])
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "resyncRequired"), (410, "syncStateNotFound"), (400, "Directory_ExpiredPageToken")],
)
def test_an_expired_link_starts_over(connected, graph, status, code):
    graph.get(LINK, status=status, json={"error": {"code": code, "message": "Start over."}})

    assert changes_since(connected, LINK) == UNKNOWN


def test_too_many_pages_start_over(connected, graph, settings):
    settings.CELERY_TASK_TIME_LIMIT = 0
    graph.get(LINK, json=page({"id": "oid-1"}, nextLink=NEXT))

    assert changes_since(connected, LINK) == UNKNOWN


def test_a_link_to_another_host_gets_no_token(connected):
    assert changes_since(connected, "https://elsewhere.example/users/delta?$deltatoken=x") == UNKNOWN


@pytest.mark.parametrize("body", [page(), {"value": None}, [], {"value": ["?"]}])
def test_a_response_of_another_shape_starts_over(connected, graph, body):
    graph.get(LINK, json=body)

    assert changes_since(connected, LINK) == UNKNOWN


@pytest.mark.parametrize(("status", "kind"), [(503, ErrorKind.OUTAGE), (429, ErrorKind.THROTTLED)])
def test_a_temporary_failure_is_raised(connected, graph, status, kind):
    graph.get(LINK, status=status, json={"error": {"code": "x", "message": ""}})

    with pytest.raises(PlatformError) as failure:
        changes_since(connected, LINK)

    assert failure.value.kind == kind


# --- Against the simulated tenant -------------------------------------------------------------------
@pytest.fixture
def by_policy(maple, simulator):
    """A connection by access policy, with consent."""
    simulator.control("policy")
    simulator.control("consent")
    connection = make_connection(maple)
    granted = ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    sign_in(connection, "", method=Method.ACCESS_POLICY, granted=granted)
    return connection


def match(connection, simulator, first_name: str):
    member = make_member(connection.organization, first_name)
    remote_id = simulator.person(f"{first_name.lower()}@maple.example")["id"]
    make_match(connection, member, remote_id=remote_id, host_permission="granted")
    return member


def night(connection) -> list[tuple[str, str, str]]:
    """Run the next watch and return its findings."""
    DriftWatch.objects.update(due_at="2000-01-01T00:00Z")
    watch_drift(connection.pk)
    rows = DriftFinding.objects.order_by("staff__first_name")
    return [(row.staff.first_name, row.after, row.reason) for row in rows]


def test_renamed_disabled_and_removed_users_are_found_the_next_night(by_policy, simulator):
    for name in ("Sam", "Sky", "Ada"):
        match(by_policy, simulator, name)
    assert night(by_policy) == []
    simulator.control("person", user="sam@maple.example", upn="sam.new@maple.example")
    simulator.control("person", user="sky@maple.example", enabled=False)

    assert night(by_policy) == [("Sam", "unmatched", "alias"), ("Sky", "forbidden", "disabled")]


def test_a_fixed_user_ends_the_finding(by_policy, simulator):
    match(by_policy, simulator, "Sam")
    night(by_policy)
    simulator.control("person", user="sam@maple.example", enabled=False)
    assert night(by_policy) == [("Sam", "forbidden", "disabled")]
    simulator.control("person", user="sam@maple.example", enabled=True)

    assert night(by_policy) == []


def test_a_night_without_changes_costs_one_request_for_users_and_one_for_the_account(by_policy, simulator):
    match(by_policy, simulator, "Sam")
    night(by_policy)
    before = len(graph_requests(simulator))

    night(by_policy)

    account = f"/v1.0/users/{by_policy.teams.account_oid}"
    assert graph_requests(simulator)[before:] == [("GET", "/v1.0/users/delta"), ("GET", account)]

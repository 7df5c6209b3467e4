"""Probe of Application Access Policies: a lookup for each person, twenty in a request, without side effects."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest
import responses

from integrations.models import ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import ErrorScope, PermissionResult, PermissionState, PlatformError
from integrations.teams.access_policy.probe import probe
from integrations.teams.entra.user_tokens import IssuedToken
from integrations.teams.graph import client
from integrations.teams.models import Method
from tests.factories import TENANT_ID, make_connection

BATCH = "https://graph.microsoft.com/v1.0/$batch"
SAM_ID = "5a300000-0000-4000-8000-000000000001"
BEN_ID = "be300000-0000-4000-8000-000000000002"


@pytest.fixture
def graph_server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield server


@pytest.fixture
def by_policy(maple, monkeypatch):
    connection = make_connection(maple)
    connection.teams.method = Method.ACCESS_POLICY
    connection.teams.save()
    monkeypatch.setattr(client, "current_token", lambda connection, *, refused="": IssuedToken("an-app-token", 1))
    return connection


def answers(graph_server, *items):
    """Let Graph answer the items of the next batch with (status, body) or (status, body, headers)."""
    listed = [
        {"id": str(number), "status": item[0], "body": item[1], "headers": dict(*item[2:])}
        for number, item in enumerate(items)
    ]
    graph_server.post(BATCH, json={"responses": listed})


def refusal(code, message=""):
    return {"error": {"code": code, "message": message}}


def test_the_probe_queries_a_meeting_that_cannot_exist(by_policy, graph_server):
    answers(graph_server, (200, {"value": []}))

    probe(by_policy, [SAM_ID])

    (item,) = json.loads(graph_server.calls[0].request.body)["requests"]
    path, _, query = item["url"].partition("?")
    link = unquote(query).removeprefix("$filter=JoinWebUrl eq '").removesuffix("'")
    meeting, _, context = link.partition("/0?context=")
    assert (item["method"], path) == ("GET", f"/users/{SAM_ID}/onlineMeetings")
    assert json.loads(unquote(context)) == {"Tid": TENANT_ID, "Oid": SAM_ID}
    assert re.fullmatch(r"https://teams\.microsoft\.com/l/meetup-join/19%3ameeting_\w{32}%40thread\.v2", meeting)


def test_each_person_is_probed_under_their_own_object_id(by_policy, graph_server):
    answers(graph_server, (200, {"value": []}), (200, {"value": []}))

    probe(by_policy, [SAM_ID, BEN_ID])

    sent = json.loads(graph_server.calls[0].request.body)["requests"]
    assert [
        (oid in item["url"], oid in unquote(unquote(item["url"])))
        for oid, item in zip((SAM_ID, BEN_ID), sent, strict=True)
    ] == [(True, True)] * 2
    assert len(graph_server.calls) == 1


@pytest.mark.parametrize(
    ("item", "state"),
    [
        ((200, {"value": [{"id": "MSo1"}]}), PermissionState.GRANTED),
        ((200, {"value": []}), PermissionState.GRANTED),
        ((404, refusal("NotFound", "3004: Specified meeting is not found")), PermissionState.GRANTED),
        (
            (
                403,
                refusal("Forbidden", f"No application access policy found for this app x on the user [{SAM_ID}]"),
            ),
            PermissionState.DENIED,
        ),
        (
            (403, refusal("General", "No application access policy found for this app")),
            PermissionState.DENIED,
        ),
        (
            (403, refusal("Forbidden", "3003: User does not have access to lookup meeting")),
            PermissionState.DENIED,
        ),
        ((404, refusal("Request_ResourceNotFound", "Resource does not exist")), PermissionState.GONE),
        ((404, refusal("UnknownError")), PermissionState.GONE),
        ((400, refusal("BadRequest", "1026: An error has occurred.")), PermissionState.UNCLEAR),
        ((500, refusal("InternalServerError")), PermissionState.UNCLEAR),
        ((503, "a gateway's page"), PermissionState.UNCLEAR),
        ((403, "a gateway's page"), PermissionState.UNCLEAR),
    ],
)
def test_each_response_has_a_permission_state(by_policy, graph_server, item, state):
    answers(graph_server, item)

    assert probe(by_policy, [SAM_ID]) == {SAM_ID: PermissionResult(state)}


@pytest.mark.parametrize("body", [None, {}, {"value": None}, "text"])
def test_an_unusable_answer_is_no_permission(by_policy, graph_server, body):
    answers(graph_server, (200, body))

    assert probe(by_policy, [SAM_ID]) == {SAM_ID: PermissionResult(PermissionState.UNCLEAR)}


@pytest.mark.parametrize(("headers", "pause"), [({"Retry-After": "7"}, 7.0), ({}, 30.0)])
def test_only_throttled_people_are_unclear(by_policy, graph_server, headers, pause):
    answers(graph_server, (200, {"value": []}), (429, refusal("TooManyRequests"), headers))

    assert probe(by_policy, [SAM_ID, BEN_ID]) == {
        SAM_ID: PermissionResult(PermissionState.GRANTED),
        BEN_ID: PermissionResult(PermissionState.UNCLEAR, pause, ErrorScope.UNCLEAR),
    }


def test_a_withdrawn_consent_makes_the_connection_unhealthy_and_leaves_people_unchanged(by_policy, graph_server):
    answers(graph_server, (200, {"value": []}), (403, refusal("Authorization_RequestDenied")))

    with pytest.raises(PlatformError) as failure:
        probe(by_policy, [SAM_ID, BEN_ID])

    by_policy.refresh_from_db()
    assert failure.value.kind == ErrorKind.CONNECTION
    assert by_policy.status == ConnectionStatus.NEEDS_REAUTHORIZATION


@pytest.mark.parametrize("oid", ["", "oid-of-sam", f"{SAM_ID}/messages", f"{{{SAM_ID}}}"])
def test_a_malformed_object_id_is_not_probed(by_policy, graph_server, oid):
    assert probe(by_policy, [oid]) == {oid: PermissionResult(PermissionState.UNCLEAR)}
    assert len(graph_server.calls) == 0


@pytest.mark.parametrize(("cloud", "host"), [("gcc_high", "gov.teams.microsoft.us"), ("dod", "dod.teams.microsoft.us")])
def test_the_link_belongs_to_the_cloud(by_policy, graph_server, settings, cloud, host):
    settings.MICROSOFT_CLOUD = cloud
    graph_server.post(re.compile(".*"), json={"responses": [{"id": "0", "status": 200, "body": {"value": []}}]})

    probe(by_policy, [SAM_ID])

    assert f"https://{host}/l/meetup-join/" in unquote(graph_server.calls[0].request.body.decode())


# --- the simulated Microsoft ------------------------------------------------------------------------
@pytest.fixture
def simulated(maple, simulator, monkeypatch):
    connection = make_connection(maple)
    connection.teams.method = Method.ACCESS_POLICY
    connection.teams.save()
    token = simulator.app_token()
    monkeypatch.setattr(client, "current_token", lambda connection, *, refused="": IssuedToken(token, 1))
    return connection


@pytest.fixture
def sam(simulator):
    return simulator.person("sam@maple.example")["id"]


@pytest.mark.parametrize("miss", ["empty", "not_found"])
def test_permission_is_granted_with_a_policy_and_denied_without(simulated, simulator, sam, miss):
    simulator.control("behaviour", lookup_miss=miss)
    ben = simulator.person("ben@maple.example")["id"]
    simulator.control("policy", user="sam@maple.example")

    found = probe(simulated, [sam, ben])

    assert (found[sam].state, found[ben].state) == (PermissionState.GRANTED, PermissionState.DENIED)


def test_a_policy_of_another_product_hides_the_global_policy(simulated, simulator, sam):
    simulator.control("policy")
    simulator.control("other-policy", user="sam@maple.example")

    assert probe(simulated, [sam])[sam].state == PermissionState.DENIED


def test_a_deleted_user_is_gone(simulated, simulator, sam):
    simulator.control("policy")
    simulator.control("person", user="sam@maple.example", delete=True)

    assert probe(simulated, [sam])[sam].state == PermissionState.GONE


def test_the_probe_creates_no_meeting(simulated, simulator, sam):
    simulator.control("policy")

    probe(simulated, [sam])

    assert simulator.state("meetings") == []

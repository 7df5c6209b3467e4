"""Metrics and log lines of requests to Microsoft."""

from __future__ import annotations

import logging

import pytest
import requests
import responses
from prometheus_client import REGISTRY

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.user_tokens import IssuedToken
from integrations.teams.graph import client as graph
from integrations.teams.graph.client import GraphClient
from integrations.teams.metrics import count_token_request as counting_renewals
from tests.messages import message

ROOT = "https://graph.microsoft.com/v1.0"


@pytest.fixture
def graph_server():
    with responses.RequestsMock() as server:
        yield server


@pytest.fixture
def client(connected, monkeypatch):
    monkeypatch.setattr(graph, "current_token", lambda connection, refused="": IssuedToken("a-token", 1))
    return GraphClient(connected)


def count_token_request(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_responses_are_counted_by_status(client, graph_server):
    graph_server.get(f"{ROOT}/users", json={"value": []})
    graph_server.get(f"{ROOT}/users", body=requests.ConnectTimeout())
    names = ("2xx", "none")
    before = [count_token_request("coconut_graph_requests_total", method="GET", answer=name) for name in names]
    timed = count_token_request("coconut_graph_request_seconds_count", method="GET")

    client.request("GET", "/users")
    with pytest.raises(PlatformError):
        client.request("GET", "/users")

    after = [count_token_request("coconut_graph_requests_total", method="GET", answer=name) for name in names]
    assert after == [number + 1 for number in before]
    assert count_token_request("coconut_graph_request_seconds_count", method="GET") == timed + 1


def test_throttled_items_of_a_batch_are_counted_as_well(client, graph_server):
    items = [{"id": str(number), "status": 429, "body": {}} for number in range(2)]
    graph_server.post(f"{ROOT}/$batch", json={"responses": items})
    before = count_token_request("coconut_graph_throttled_total")

    client.batch_results([("/users/a", {}), ("/users/b", {})])

    assert count_token_request("coconut_graph_throttled_total") == before + 2


def test_both_ids_of_a_request_are_fields_of_its_line(client, connected, graph_server, caplog):
    graph_server.get(f"{ROOT}/users", json={"value": []}, headers={"request-id": "of-microsoft"})

    with caplog.at_level(logging.INFO, logger="integrations.teams"):
        client.request("GET", "/users")

    (record,) = [record for record in caplog.records if record.name == "integrations.teams.graph.request_log"]
    sent = graph_server.calls[0].request.headers["client-request-id"]
    said = {name: record.__dict__[name] for name in ("client_request_id", "platform_request_id", "status")}
    assert said == {"client_request_id": sent, "platform_request_id": "of-microsoft", "status": 200}
    assert record.__dict__["organization_id"] == connected.organization_id


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (None, "renewed"),
        (ErrorKind.CONNECTION, "refused"),
        (ErrorKind.OPERATOR, "refused"),
        (ErrorKind.OUTAGE, "unavailable"),
    ],
)
def test_token_requests_are_counted_by_outcome(kind, outcome):
    before = count_token_request("coconut_token_renewals_total", outcome=outcome)

    ask_for_token(kind)

    assert count_token_request("coconut_token_renewals_total", outcome=outcome) == before + 1


def ask_for_token(kind: ErrorKind | None) -> None:
    if kind is None:
        with counting_renewals():
            return
    with pytest.raises(PlatformError), counting_renewals():
        raise PlatformError(kind, message("No."))


def test_an_exception_of_our_own_counts_as_unavailable():
    before = count_token_request("coconut_token_renewals_total", outcome="renewed")

    with pytest.raises(RuntimeError), counting_renewals():
        raise RuntimeError

    assert count_token_request("coconut_token_renewals_total", outcome="renewed") == before

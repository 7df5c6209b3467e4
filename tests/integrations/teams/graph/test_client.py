"""Single requests: token, headers, a repeat after a 401, errors, paths."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from integrations.models import ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.graph import client as graph
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.paths import segment
from integrations.teams.models import TeamsConnection
from tests.integrations.teams.graph.conftest import ROOT, UNAUTHORIZED, failure_of
from tests.messages import message


# --- one request ------------------------------------------------------------------------------------
def test_a_request_carries_token_trace_and_parameters(client, graph_server):
    graph_server.get(f"{ROOT}/users", json={"value": []})

    body = client.request("GET", "/users", params={"$filter": "mail eq 'a+b@x.example'"})

    (call,) = graph_server.calls
    assert body == {"value": []}
    assert call.request.headers["Authorization"] == "Bearer token-1"
    assert len(call.request.headers["client-request-id"]) == 36
    assert parse_qs(urlsplit(call.request.url).query) == {"$filter": ["mail eq 'a+b@x.example'"]}


def test_every_request_has_a_timeout(client, graph_server, settings):
    settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS, settings.MICROSOFT_READ_TIMEOUT_SECONDS = 1.5, 2.5
    graph_server.get(f"{ROOT}/users", json={})

    client.request("GET", "/users")

    assert graph_server.calls[0].request.req_kwargs["timeout"] == (1.5, 2.5)


@pytest.mark.parametrize(
    ("path", "prefer", "priority"),
    [("/me/onlineMeetings/1", "include-unknown-enum-members", None), ("/users", None, "low")],
)
def test_meetings_request_all_roles_and_matching_has_low_priority(client, graph_server, path, prefer, priority):
    graph_server.get(f"{ROOT}{path}", json={})

    client.request("GET", path)

    headers = graph_server.calls[0].request.headers
    assert (headers.get("Prefer"), headers.get("x-ms-throttle-priority")) == (prefer, priority)


def test_a_netrc_file_does_not_replace_the_token(client, graph_server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine graph.microsoft.com login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    graph_server.get(f"{ROOT}/users", json={})

    client.request("GET", "/users")

    assert graph_server.calls[0].request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", None), (b"23", 23), (b"\xef\xbb\xbf23", 23), (b'{"a": 1}', {"a": 1})],
)
def test_valid_bodies_are_parsed(client, graph_server, body, expected):
    graph_server.get(f"{ROOT}/users/$count", body=body)

    assert client.request("GET", "/users/$count") == expected


def test_a_success_is_recorded_on_the_connection(client, graph_server, connected):
    graph_server.get(f"{ROOT}/users", json={})

    client.request("GET", "/users")

    connected.refresh_from_db()
    assert connected.last_success_at is not None


def test_an_outage_is_recorded_until_the_next_success(client, graph_server, connected):
    graph_server.get(f"{ROOT}/users", status=503)
    failure_of(client)
    connected.refresh_from_db()
    noted = connected.trouble_kind
    graph_server.replace("GET", f"{ROOT}/users", json={"value": []})

    client.request("GET", "/users")

    connected.refresh_from_db()
    assert (noted, connected.trouble_kind) == (ErrorKind.OUTAGE, "")


def test_refused_app_credentials_are_recorded_on_the_connection(client, connected, monkeypatch):
    def refuse(connection, *, refused=""):
        raise PlatformError(ErrorKind.OPERATOR, message("Not accepted."))

    monkeypatch.setattr(graph, "current_token", refuse)

    failure_of(client)

    connected.refresh_from_db()
    assert (connected.trouble_kind, str(connected.trouble)) == (ErrorKind.OPERATOR, "Not accepted.")


def test_a_failure_is_not_recorded_as_a_success(client, graph_server, connected):
    graph_server.get(f"{ROOT}/users", status=503)

    failure_of(client)

    connected.refresh_from_db()
    assert connected.last_success_at is None


def test_another_cloud_has_another_host(connected, tokens, graph_server, settings):
    settings.MICROSOFT_CLOUD = "gcc_high"
    graph_server.get("https://graph.microsoft.us/v1.0/users", json={"value": []})

    assert GraphClient(connected).request("GET", "/users") == {"value": []}


# --- 401 --------------------------------------------------------------------------------------------
def test_a_refused_token_is_refreshed_once_and_the_request_repeated(client, graph_server, tokens):
    graph_server.post(f"{ROOT}/me/onlineMeetings", status=401, json=UNAUTHORIZED)
    graph_server.post(f"{ROOT}/me/onlineMeetings", json={"id": "1"})

    body = client.request("POST", "/me/onlineMeetings", json={})

    assert (body, tokens) == ({"id": "1"}, ["", "token-1"])
    assert graph_server.calls[1].request.headers["Authorization"] == "Bearer token-2"


def test_a_second_refusal_ends_the_sign_in(client, graph_server, connected):
    graph_server.get(f"{ROOT}/users", status=401, json=UNAUTHORIZED)

    error = failure_of(client)

    connected.refresh_from_db()
    assert (error.kind, len(graph_server.calls)) == (ErrorKind.CONNECTION, 2)
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_an_outdated_refusal_after_reauthorize_changes_nothing(client, graph_server, connected):
    def reauthorized(_request):
        TeamsConnection.objects.filter(connection=connected).update(token_version=7)
        return 403, {}, json.dumps({"error": {"code": "Authorization_RequestDenied", "message": ""}})

    graph_server.add_callback("GET", f"{ROOT}/users", reauthorized)

    failure_of(client)

    connected.refresh_from_db()
    assert connected.status == ConnectionStatus.CONNECTED


def test_a_refusal_for_one_person_leaves_the_connection_unchanged(client, graph_server, connected):
    graph_server.post(f"{ROOT}/me/onlineMeetings", status=403, json={"error": {"code": "Forbidden"}})

    error = failure_of(client, "POST", "/me/onlineMeetings", json={})

    connected.refresh_from_db()
    assert (error.kind, connected.status) == (ErrorKind.PERSON, ConnectionStatus.CONNECTED)


# --- no usable answer -------------------------------------------------------------------------------
def test_an_accepted_request_has_no_usable_answer_yet(client, graph_server):
    graph_server.get(f"{ROOT}/users", status=202, headers={"Retry-After": "5"}, json={"value": []})

    error = failure_of(client)

    assert (error.kind, error.retry_after, error.ambiguous) == (ErrorKind.UNUSABLE, 5.0, False)


def test_a_request_id_is_printable(client, graph_server):
    graph_server.get(f"{ROOT}/users", status=503, headers={"request-id": "a\x00b\n"})

    assert failure_of(client).request_id == "ab"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.exceptions.ChunkedEncodingError()},
        {"body": b'{"id": "MSo1", "joinWeb'},
        {"body": b"<html>Sign in to the network</html>"},
        {"body": b"\xff\xfe"},
        {"body": b"[" * 100_000},
        {"body": b"<html>Bad Gateway</html>", "status": 502},
        {"status": 504},
    ],
)
def test_without_a_usable_response_only_a_write_is_ambiguous(client, graph_server, method, answer):
    graph_server.add(method, f"{ROOT}/me/onlineMeetings/1", **answer)

    error = failure_of(client, method, "/me/onlineMeetings/1")

    assert (error.kind, error.ambiguous) == (ErrorKind.OUTAGE, method == "PATCH")


def test_a_failed_tcp_connection_is_not_ambiguous(client, graph_server):
    graph_server.patch(f"{ROOT}/me/onlineMeetings/1", body=requests.ConnectTimeout())

    assert failure_of(client, "PATCH", "/me/onlineMeetings/1").ambiguous is False


@pytest.mark.parametrize("location", ["https://elsewhere.example/", "http://[", ""])
def test_a_redirect_is_not_followed(client, graph_server, location):
    graph_server.get(f"{ROOT}/users", status=302, headers={"Location": location})

    assert failure_of(client).kind == ErrorKind.OUTAGE
    assert len(graph_server.calls) == 1


def test_a_404_of_a_gateway_is_an_outage(client, graph_server):
    graph_server.get(f"{ROOT}/me/onlineMeetings/1", status=404, body="<html>Not Found</html>")

    assert failure_of(client, path="/me/onlineMeetings/1").kind == ErrorKind.OUTAGE


# --- waiting ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("10", 10.0), ("0", 0.0), ("999999", 3600.0), (None, None), ("soon", None), ("-5", None), ("nan", None)],
)
def test_retry_after_is_in_seconds(client, graph_server, header, seconds):
    headers = {} if header is None else {"Retry-After": header}
    graph_server.get(f"{ROOT}/users", status=429, headers=headers, json={"error": {"code": "TooManyRequests"}})

    error = failure_of(client)

    assert (error.kind, error.retry_after) == (ErrorKind.THROTTLED, seconds)


def test_retry_after_may_be_a_date(client, graph_server):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    graph_server.get(f"{ROOT}/users", status=503, headers={"Retry-After": at})

    assert failure_of(client).retry_after == pytest.approx(30, abs=2)


# --- addresses --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "users",
        "/users/a#b",
        "/users/a b",
        "/users/a?b",
        "/users/../me",
        "/users/%2e%2e/me",
        "/users//x",
        "/users/a%2F..%2Fb",
        "@elsewhere.example/",
        "/users\\x",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_never_sent(client, graph_server, path):
    assert failure_of(client, path=path).kind == ErrorKind.BUG
    assert len(graph_server.calls) == 0


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("gus_partner.example#EXT#@contoso.example", "gus_partner.example%23EXT%23@contoso.example"),
        ("o'brien@x.example", "o%27brien@x.example"),
        ("MSo1/abc+d==", "MSo1%2Fabc%2Bd%3D%3D"),
        ("a/../b", "a%2F..%2Fb"),
        ("$x@y.example", "%24x@y.example"),
    ],
)
def test_a_segment_is_quoted(value, quoted):
    assert segment(value) == quoted


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "a\x00"])
def test_an_invalid_segment_is_refused(value):
    with pytest.raises(PlatformError) as failure:
        segment(value)

    assert failure.value.kind == ErrorKind.BUG


# --- the log ----------------------------------------------------------------------------------------
def test_the_log_holds_both_ids_and_neither_names_nor_links_nor_tokens(client, graph_server, caplog):
    caplog.set_level(logging.DEBUG)
    link = "https://teams.microsoft.com/meet/1?p=secret"
    answer = {"id": "1", "joinWebUrl": link}
    graph_server.get(f"{ROOT}/me/onlineMeetings/1", json=answer, headers={"request-id": "microsofts-id"})
    graph_server.get(f"{ROOT}/me/onlineMeetings", body=requests.ConnectionError(f"for {link}"))

    client.request("GET", "/me/onlineMeetings/1", params={"who": "ada@maple.example"})
    failure_of(client, path="/me/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{link}'"})

    trace = graph_server.calls[0].request.headers["client-request-id"]
    assert f"client-request-id {trace}, request-id microsofts-id" in caplog.text
    assert [secret for secret in ("secret", "ada@", "token-1") if secret in caplog.text] == []

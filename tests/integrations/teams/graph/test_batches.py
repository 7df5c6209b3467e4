"""Pages and batches."""

from __future__ import annotations

import json
from unittest.mock import ANY

import pytest

from integrations.models import ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.graph.errors import Area, error_of
from tests.integrations.teams.graph.conftest import ROOT, UNAUTHORIZED


# --- pages ------------------------------------------------------------------------------------------
def pages_of(client):
    return list(client.pages("/users", params={"$top": "999"}))


def test_all_pages_are_followed_even_if_some_are_empty(client, graph_server):
    second, third = f"{ROOT}/users?$skiptoken=RFN%2B0", f"{ROOT}/users?$skiptoken=last"
    graph_server.get(f"{ROOT}/users?$top=999", json={"value": [{"id": "1"}], "@odata.nextLink": second})
    graph_server.get(second, json={"value": [], "@odata.nextLink": third})
    graph_server.get(third, json={"value": [{"id": "2"}]})

    assert pages_of(client) == [[{"id": "1"}], [], [{"id": "2"}]]
    assert [call.request.url for call in graph_server.calls[1:]] == [second, third]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/users",
        "https://graph.microsoft.com.elsewhere.example/v1.0/users",
        "https://graph.microsoft.com@elsewhere.example/v1.0/users",
        "https://graph.microsoft.com\\@elsewhere.example/v1.0/",
        "http://graph.microsoft.com/v1.0/users",
        "//elsewhere.example/v1.0/users",
        "/v1.0/users",
        "https://graph.microsoft.com/v1.0/\ud800",
        {"not": "a link"},
    ],
)
def test_the_token_goes_to_graph_only(client, graph_server, link):
    graph_server.get(f"{ROOT}/users", json={"value": [], "@odata.nextLink": link})

    with pytest.raises(PlatformError) as failure:
        pages_of(client)

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.UNUSABLE, 1)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "Directory_ExpiredPageToken"),
        (410, "Directory_ExpiredPageToken"),
        (400, "BadRequest"),
        (404, "Request_ResourceNotFound"),
        (404, "UnknownError"),
        (410, "Gone"),
    ],
)
def test_a_link_that_graph_has_forgotten_is_an_unusable_answer(client, graph_server, status, code):
    following = f"{ROOT}/users?$skiptoken=old"
    graph_server.get(f"{ROOT}/users?$top=999", json={"value": [], "@odata.nextLink": following})
    graph_server.get(following, status=status, json={"error": {"code": code, "message": "Start over."}})

    with pytest.raises(PlatformError) as failure:
        pages_of(client)

    assert failure.value.kind == ErrorKind.UNUSABLE


def test_an_outage_at_a_later_page_is_an_outage(client, graph_server):
    following = f"{ROOT}/users?$skiptoken=2"
    graph_server.get(f"{ROOT}/users?$top=999", json={"value": [], "@odata.nextLink": following})
    graph_server.get(following, status=503)

    with pytest.raises(PlatformError) as failure:
        pages_of(client)

    assert failure.value.kind == ErrorKind.OUTAGE


def test_an_endless_loop_of_pages_ends(client, graph_server):
    graph_server.get(f"{ROOT}/users", json={"value": [], "@odata.nextLink": f"{ROOT}/users?a=1"})

    with pytest.raises(PlatformError) as failure:
        pages_of(client)

    assert failure.value.kind == ErrorKind.UNUSABLE


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": ["x"]}, [], "text", None])
def test_a_page_of_unknown_shape_is_unusable_and_has_the_request_id(client, graph_server, body):
    graph_server.get(f"{ROOT}/users", json=body, headers={"request-id": "microsofts-id"})

    with pytest.raises(PlatformError) as failure:
        pages_of(client)

    assert (failure.value.kind, failure.value.request_id) == (ErrorKind.UNUSABLE, "microsofts-id")


# --- batches ----------------------------------------------------------------------------------------
GETS = [("/users", {"$filter": f"mail eq '{name}@x.example'"}) for name in ("a", "b+c", "d&e#f")]


def answered(*items, **options):
    return {"json": {"responses": list(items)}, **options}


def test_batch_results_are_in_the_order_of_the_requests(client, graph_server):
    graph_server.post(
        f"{ROOT}/$batch",
        **answered(
            {"id": "2", "status": 200, "body": "third"},
            {"id": "0", "status": 200, "body": "first"},
            {"id": "1", "status": 200, "body": "second"},
        ),
    )

    assert client.batch_results(GETS) == ["first", "second", "third"]
    assert json.loads(graph_server.calls[0].request.body) == {
        "requests": [
            {
                "id": "0",
                "method": "GET",
                "url": "/users?$filter=mail%20eq%20%27a%40x.example%27",
            },
            {"id": "1", "method": "GET", "url": "/users?$filter=mail%20eq%20%27b%2Bc%40x.example%27"},
            {"id": "2", "method": "GET", "url": ANY},
        ]
    }


def test_a_refused_item_refreshes_the_token_once_for_the_whole_batch(client, graph_server, tokens):
    graph_server.post(f"{ROOT}/$batch", **answered({"id": "0", "status": 401, "body": UNAUTHORIZED}))
    graph_server.post(f"{ROOT}/$batch", **answered({"id": "0", "status": 200, "body": 1}))

    assert client.batch_results(GETS[:1]) == [1]
    assert tokens == ["", "token-1"]


def test_a_lost_batch_is_not_ambiguous(client, graph_server):
    graph_server.post(f"{ROOT}/$batch", status=502)

    with pytest.raises(PlatformError) as failure:
        client.batch_results(GETS)

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.OUTAGE, False)


@pytest.mark.parametrize(
    "responses_",
    [
        None,
        [],
        [{"id": "0", "status": 200}] * 3,
        [{"id": str(number), "status": 200} for number in range(4)],
        [{"id": str(number), "status": 200} for number in (0, 1, 2, 2)],
        [{"id": str(number), "status": "200"} for number in range(3)],
        ["0", "1", "2"],
    ],
)
def test_a_batch_whose_responses_do_not_match_is_unusable(client, graph_server, responses_):
    graph_server.post(f"{ROOT}/$batch", json={"responses": responses_})

    with pytest.raises(PlatformError) as failure:
        client.batch_results(GETS)

    assert failure.value.kind == ErrorKind.UNUSABLE


def test_a_batch_item_that_was_only_accepted_is_a_refusal(client, graph_server):
    graph_server.post(f"{ROOT}/$batch", **answered({"id": "0", "status": 202, "body": {"value": []}}))

    (result,) = client.batch_results(GETS[:1])

    assert (result.status, error_of(result).kind) == (202, ErrorKind.UNUSABLE)


REFUSED = {"error": {"code": "Forbidden", "message": "3003: No access"}}
WITHDRAWN = {"error": {"code": "Authorization_RequestDenied", "message": ""}}


def test_batch_results_include_refusals(client, connected, graph_server):
    graph_server.post(
        f"{ROOT}/$batch",
        **answered(
            {"id": "1", "status": 403, "body": REFUSED},
            {"id": "0", "status": 200, "body": "first"},
            {"id": "2", "status": 429, "headers": {"Retry-After": "3"}, "body": {"error": {"code": "x"}}},
        ),
    )
    gets = [(f"/users/{number}/onlineMeetings", {"$filter": "x"}) for number in range(3)]

    first, second, third = client.batch_results(gets)

    assert first == "first"
    assert (second.status, second.area, second.message) == (403, Area.ORGANIZER, "3003: No access")
    assert (third.status, third.retry_after) == (429, 3.0)
    connected.refresh_from_db()
    assert connected.last_success_at is not None


def test_a_missing_permission_fails_the_whole_batch(client, connected, graph_server):
    graph_server.post(
        f"{ROOT}/$batch",
        **answered({"id": "0", "status": 200}, {"id": "1", "status": 403, "body": WITHDRAWN}),
    )

    with pytest.raises(PlatformError) as failure:
        client.batch_results(GETS[:2])

    connected.refresh_from_db()
    assert failure.value.kind == ErrorKind.CONNECTION
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_a_refused_batch_has_no_results(client, graph_server):
    graph_server.post(f"{ROOT}/$batch", status=503)

    with pytest.raises(PlatformError) as failure:
        client.batch_results(GETS)

    assert failure.value.kind == ErrorKind.OUTAGE


def test_a_batch_of_outages_does_not_count_as_a_success(client, connected, graph_server):
    graph_server.post(f"{ROOT}/$batch", **answered({"id": "0", "status": 503}))

    client.batch_results(GETS[:1])

    connected.refresh_from_db()
    assert connected.last_success_at is None


@pytest.mark.parametrize("how_many", [0, 21])
def test_a_batch_of_a_wrong_size_is_never_sent(client, graph_server, how_many):
    with pytest.raises(PlatformError) as failure:
        client.batch_results(GETS[:1] * how_many)

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.BUG, 0)

"""Graph $batch: several requests in one."""

import pytest

from simulator import people


@pytest.fixture
def token(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT)


def batch(simulator, token, *items):
    return simulator.graph(token, "POST", "/$batch", json={"requests": list(items)})


def get(identifier: str, url: str) -> dict[str, str]:
    return {"id": identifier, "method": "GET", "url": url}


def statuses(response) -> dict[str, int]:
    return {item["id"]: item["status"] for item in response.json()["responses"]}


def test_every_item_has_its_own_response(simulator, token):
    response = batch(
        simulator,
        token,
        get("1", "/users?$select=id,userPrincipalName&$filter=userPrincipalName in ('sam@maple.example')"),
        get("2", "/users/ivy@maple.example"),
    )

    bodies = {item["id"]: item["body"] for item in response.json()["responses"]}
    assert statuses(response) == {"1": 200, "2": 404}
    assert bodies["1"]["value"][0]["userPrincipalName"] == "sam@maple.example"


def test_more_than_twenty_items_are_rejected(simulator, token):
    response = batch(simulator, token, *(get(str(number), "/me") for number in range(21)))

    assert response.status_code == 400


@pytest.mark.parametrize(
    "items",
    [
        [get("a", "/me"), get("A", "/me")],
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "method": "POST", "url": "/me/onlineMeetings", "body": {}}],
        [],
    ],
)
def test_a_malformed_batch_is_rejected_as_a_whole(simulator, token, items):
    assert batch(simulator, token, *items).status_code == 400


def test_a_failed_dependency_is_424(simulator, token):
    response = batch(simulator, token, get("1", "/users/ivy@maple.example"), {**get("2", "/me"), "dependsOn": ["1"]})

    assert statuses(response) == {"1": 404, "2": 424}


def test_items_are_throttled_individually(simulator, token):
    simulator.control("fault", kind="throttle", retry_after=7, path="/v1.0/users/sam", count=1)

    response = batch(simulator, token, get("1", "/users/sam@maple.example"), get("2", "/me"))

    headers = {item["id"]: item["headers"] for item in response.json()["responses"]}
    assert statuses(response) == {"1": 429, "2": 200}
    assert headers["1"]["Retry-After"] == "7"


def test_a_throttled_item_may_have_been_executed(simulator, token):
    simulator.control("fault", kind="throttle", regex="createOrGet", executed=True, count=1)
    create = {
        "id": "1",
        "method": "POST",
        "url": "/me/onlineMeetings/createOrGet",
        "headers": {"Content-Type": "application/json"},
        "body": {"externalId": "e-1"},
    }

    response = batch(simulator, token, create)

    assert statuses(response) == {"1": 429}
    assert simulator.state("counters")["createOrGet"] == 1


def test_the_request_log_lists_the_items(simulator, token):
    batch(simulator, token, get("1", "/me"))

    entry = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"][-1]

    assert entry["items"] == [{"method": "GET", "target": "/v1.0/me", "status": 200}]

"""Quota of resource units: directory requests beyond it are refused."""

from __future__ import annotations

import pytest

from simulator import people
from simulator.resource_units import WINDOW_SECONDS, ResourceUnits


@pytest.fixture
def token(simulator):
    return simulator.user_token(people.SERVICE_ACCOUNT)


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/users", 2),
        ("/users?$select=id", 1),
        ("/users?$top=5", 1),
        ("/users?$select=id&$top=5", 1),
        ("/users/sam@maple.example", 1),
        ("/me", 1),
        ("/me/licenseDetails", 2),
    ],
)
def test_a_directory_request_costs_resource_units(simulator, token, path, units):
    assert simulator.graph(token, "GET", path).headers["x-ms-resource-unit"] == str(units)


def test_requests_beyond_the_quota_are_refused_until_the_window_ends(simulator, token):
    simulator.control("behaviour", resource_units=3)

    answers = [simulator.graph(token, "GET", "/users?$select=id") for _ in range(4)]
    simulator.control("behaviour", resource_units=3)
    afterwards = simulator.graph(token, "GET", "/users?$select=id")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[2].headers["x-ms-throttle-limit-percentage"] == "1.0"
    assert answers[3].headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert answers[3].headers["x-ms-throttle-scope"].startswith("Tenant_Application/ReadWrite/")
    assert 1 <= int(answers[3].headers["Retry-After"]) <= WINDOW_SECONDS
    assert afterwards.status_code == 200


def test_the_items_of_a_batch_are_charged_one_by_one(simulator, token):
    simulator.control("behaviour", resource_units=2)
    items = [{"id": str(number), "method": "GET", "url": "/users?$select=id"} for number in range(4)]

    response = simulator.graph(token, "POST", "/$batch", json={"requests": items})

    assert response.status_code == 200
    assert sorted(item["status"] for item in response.json()["responses"]) == [200, 200, 429, 429]


def test_meetings_cost_no_resource_units(simulator, token):
    simulator.control("behaviour", resource_units=1)

    answers = [
        simulator.graph(token, "POST", "/me/onlineMeetings/createOrGet", json={"externalId": "e-1"}) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200]


def test_refused_requests_count_and_a_new_window_starts_from_zero():
    units = ResourceUnits()

    waits = [units.charge("app", "tenant", 2, quota=3, now=now)[0] for now in (0, 1, 9.5, 10)]

    assert waits == [None, 9, 1, None]

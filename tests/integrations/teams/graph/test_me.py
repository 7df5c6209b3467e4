"""Profile and tenant of an account that has just signed in."""

from __future__ import annotations

import pytest

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.graph.me import AccountProfile, read_account, read_tenant_name
from tests.integrations.teams.graph.conftest import ROOT

ME, TENANT = f"{ROOT}/me", f"{ROOT}/organization"
PROFILE = {"id": "oid-1", "userPrincipalName": "sam@x.example", "displayName": "Sam"}


def test_the_profile_is_read(graph_server):
    graph_server.get(ME, json=PROFILE)

    assert read_account("token") == AccountProfile("oid-1", "sam@x.example", "Sam")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_profile_concerns_the_sign_in(graph_server, status):
    graph_server.get(ME, status=status, json={"error": {"code": "x"}})

    with pytest.raises(PlatformError) as failure:
        read_account("token")

    assert failure.value.kind == ErrorKind.CONNECTION


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 202, "json": {}},
        {"status": 204},
        {"json": {}},
        {"json": []},
        {"json": {**PROFILE, "id": None}},
        {"json": {**PROFILE, "id": "a\x00"}},
        {"json": {**PROFILE, "id": "a" * 101}},
        {"body": b'{"id": "oi'},
        {"body": b"[" * 100_000},
        {"body": b"9" * 5000},
        {"status": 302, "headers": {"Location": "http://["}},
        {"status": 503},
    ],
)
def test_without_a_usable_profile_the_sign_in_can_be_repeated(graph_server, answer):
    graph_server.get(ME, **answer)

    with pytest.raises(PlatformError) as failure:
        read_account("token")

    assert failure.value.kind == ErrorKind.OUTAGE


def test_names_fit_into_the_database(graph_server):
    graph_server.get(ME, json={**PROFILE, "userPrincipalName": 7, "displayName": "Sam\x00" + "x" * 400})
    graph_server.get(TENANT, json={"value": [{"displayName": "Contoso\x00" + "x" * 400}]})

    profile = read_account("token")

    assert (profile.upn, profile.name) == ("", "Sam" + "x" * 297)
    assert read_tenant_name("token") == "Contoso" + "x" * 193


@pytest.mark.parametrize(
    "answer", [{"status": 403, "json": {}}, {"json": {"value": [7]}}, {"json": 7}, {"status": 503}]
)
def test_without_a_tenant_name_the_name_is_empty(graph_server, answer):
    graph_server.get(TENANT, **answer)

    assert read_tenant_name("token") == ""

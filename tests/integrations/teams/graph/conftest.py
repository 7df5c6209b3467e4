"""Fixtures: a Graph client, and a server with the responses that each test sets."""

from __future__ import annotations

import pytest
import responses

from integrations.platforms.values import PlatformError
from integrations.teams.entra.user_tokens import IssuedToken
from integrations.teams.graph import client as graph
from integrations.teams.graph.client import GraphClient

ROOT = "https://graph.microsoft.com/v1.0"
UNAUTHORIZED = {"error": {"code": "InvalidAuthenticationToken", "message": "Access token has expired."}}


@pytest.fixture
def graph_server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield server


@pytest.fixture
def tokens(monkeypatch):
    """Collect the arguments of `current_token`, which returns token-1, token-2 and so on."""
    asked: list[str] = []

    def current_token(connection, *, refused=""):
        asked.append(refused)
        return IssuedToken(f"token-{len(asked)}", connection.teams.token_version)

    monkeypatch.setattr(graph, "current_token", current_token)
    return asked


@pytest.fixture
def client(connected, tokens):
    return GraphClient(connected)


def failure_of(client, method="GET", path="/users", **options) -> PlatformError:
    with pytest.raises(PlatformError) as failure:
        client.request(method, path, **options)
    return failure.value

"""HTTP sessions with Microsoft."""

from __future__ import annotations

import threading

import pytest
import requests
import responses

from integrations.teams import http
from integrations.teams.http import thread_session


def test_consecutive_requests_share_a_session():
    assert thread_session() is thread_session()


def test_an_idle_session_is_replaced(monkeypatch: pytest.MonkeyPatch):
    before = thread_session()

    monkeypatch.setattr(http, "_MAX_IDLE_SECONDS", 0.0)

    assert thread_session() is not before


def test_threads_do_not_share_a_session():
    found: list[requests.Session] = []

    thread = threading.Thread(target=lambda: found.append(thread_session()))
    thread.start()
    thread.join()

    assert found != [thread_session()]


@responses.activate
def test_a_cookie_of_one_tenant_is_not_sent_with_the_next_request():
    responses.get("https://graph.microsoft.com/", headers={"Set-Cookie": "affinity=1; Path=/"})

    for _ in range(2):
        thread_session().get("https://graph.microsoft.com/")

    assert "Cookie" not in responses.calls[1].request.headers

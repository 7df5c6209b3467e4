"""The connections to Microsoft that are kept open."""

from __future__ import annotations

import threading

import pytest
import requests
import responses

from integrations.teams import http
from integrations.teams.http import thread_session


def test_requests_that_follow_each_other_closely_share_a_session():
    assert thread_session() is thread_session()


def test_one_that_has_rested_is_not_used_again(monkeypatch: pytest.MonkeyPatch):
    before = thread_session()

    monkeypatch.setattr(http, "_MAX_IDLE_SECONDS", 0.0)

    assert thread_session() is not before


def test_no_two_threads_share_one():
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

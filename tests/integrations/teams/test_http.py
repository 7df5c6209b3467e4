"""HTTP sessions with Microsoft."""

from __future__ import annotations

import threading
import uuid

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


@responses.activate
def test_each_document_is_requested_with_an_id_for_support():
    responses.get("https://graph.microsoft.com/v1.0/me", json={})

    for _ in range(2):
        http.get_json("https://graph.microsoft.com/v1.0/me", token="a-token")

    ids = {uuid.UUID(call.request.headers["client-request-id"]) for call in responses.calls}
    assert len(ids) == 2


@responses.activate
def test_the_id_of_a_failed_request_is_kept():
    responses.get("https://graph.microsoft.com/v1.0/me", status=503)

    with pytest.raises(http.Unreachable) as caught:
        http.get_json("https://graph.microsoft.com/v1.0/me")

    assert caught.value.request_id == responses.calls[0].request.headers["client-request-id"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Löw\x00\ud800\n", "Löw"), ("ශ්‍රී", "ශ්‍රී"), ("x" * 20, "x" * 10), (["no text"], ""), (None, "")],
)
def test_texts_for_display_can_be_stored(value, expected):
    assert http.clean_text(value, 10) == expected

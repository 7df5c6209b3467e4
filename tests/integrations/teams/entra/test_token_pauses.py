"""Retry-After of the sign-in service: no token request before its end."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from integrations.circuit_breaker import may_call, remaining_pause
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import app_tokens, sign_in, user_tokens
from integrations.teams.entra.tenants import resolve_tenant
from integrations.teams.models import Method, TeamsConnection
from tests.factories import TENANT_ID, make_connection, make_organization
from tests.integrations.teams.entra.token_endpoint import DISCOVERY, ISSUED, TOKEN_ENDPOINT, refusal

SIGN_IN_BUSY = "Microsoft's sign-in service is busy at the moment. Wait a few minutes."
BOTH_METHODS = pytest.mark.parametrize("method", [Method.SERVICE_ACCOUNT, Method.ACCESS_POLICY])


@pytest.fixture
def connected(db):
    connection = make_connection(make_organization())
    app_tokens.forget_token(connection.pk)
    return connection


def expire(seconds_left: float = -1.0) -> None:
    row = TeamsConnection.objects.get()
    row.tokens = {**row.tokens, "expires_at": time.time() + seconds_left}
    row.save(update_fields=["tokens"])


def problem_of(connection: Connection) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        user_tokens.access_token(connection)
    return caught.value


def token_requests(entra) -> int:
    return sum(call.request.url == TOKEN_ENDPOINT for call in entra.calls)


def throttle(entra) -> None:
    """Refuse the next token requests for 70 seconds."""
    body = refusal("temporarily_unavailable", 90055)
    entra.post(TOKEN_ENDPOINT, json=body, status=429, headers={"Retry-After": "70"})


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("body", ["{}", "[]", "<html>", ""])
def test_the_pause_of_a_refusal_is_read_with_any_body(entra, status, body):
    entra.post(TOKEN_ENDPOINT, body=body, status=status, headers={"Retry-After": "7"})

    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.THROTTLED, 7.0)


def test_the_pause_of_discovery_is_read(entra):
    entra.replace("GET", DISCOVERY, status=429, headers={"Retry-After": "7"})

    for ask, sentence in (
        (
            lambda: sign_in.acquire_app_token(TENANT_ID),
            "Microsoft asked Coconut to wait. Coconut continues automatically.",
        ),
        (lambda: resolve_tenant(TENANT_ID), SIGN_IN_BUSY),
    ):
        with pytest.raises(PlatformError, match=sentence) as caught:
            ask()
        assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.THROTTLED, 7.0)


def test_a_server_error_without_a_pause_stays_an_outage(entra):
    entra.post(TOKEN_ENDPOINT, json=refusal("temporarily_unavailable", 90033), status=503)

    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert caught.value.kind == ErrorKind.OUTAGE


@BOTH_METHODS
def test_microsoft_is_not_asked_again_before_the_end_of_the_pause(entra, connected, method):
    TeamsConnection.objects.update(method=method)
    expire()
    throttle(entra)

    first, second = problem_of(connected), problem_of(connected)

    assert (first.kind, second.kind) == (ErrorKind.THROTTLED, ErrorKind.THROTTLED)
    assert second.retry_after == pytest.approx(70, abs=5)
    assert token_requests(entra) == 1


@BOTH_METHODS
def test_the_pause_holds_for_background_work(entra, connected, method):
    TeamsConnection.objects.update(method=method)
    expire()
    throttle(entra)

    problem_of(connected)

    assert remaining_pause(connected.pk) == pytest.approx(70, abs=5)
    assert not may_call(connected.pk, "a caller")


def test_microsoft_is_asked_again_after_the_pause(entra, connected):
    expire()
    throttle(entra)
    entra.post(TOKEN_ENDPOINT, json=ISSUED)
    problem_of(connected)
    Connection.objects.update(paused_until=Now() - timedelta(seconds=1))

    assert user_tokens.access_token(connected) == "new-access-token"


def test_throttling_without_a_time_pauses_as_well(entra, connected):
    expire()
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", 50196), status=400)

    problem_of(connected)

    connected.refresh_from_db()
    assert connected.status == "connected"
    assert remaining_pause(connected.pk) == pytest.approx(60, abs=5)


def test_a_token_that_is_still_valid_is_used_during_the_pause(entra, connected):
    expire(seconds_left=60)
    throttle(entra)

    tokens = {user_tokens.access_token(connected) for _ in range(2)}

    assert (tokens, token_requests(entra)) == ({"an-access-token"}, 1)


def test_a_connection_without_a_pause_has_none_left(connected):
    Connection.objects.update(paused_until=Now() - timedelta(seconds=1))

    assert remaining_pause(connected.pk) == 0

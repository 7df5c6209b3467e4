"""Delegated access tokens: used while valid, refreshed once, never overwritten by a slow refresh."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone

from integrations.models import ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams import tasks
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.entra.token_responses import Tokens
from integrations.teams.models import TeamsConnection
from tests.factories import make_connection, make_member, make_organization
from tests.messages import message

DELEGATED_PERMISSIONS = ("User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite")


@pytest.fixture
def microsoft(monkeypatch):
    return FakeMicrosoft(monkeypatch)


class FakeMicrosoft:
    """Replacement for MSAL that counts refreshes, and succeeds or fails as a test sets it."""

    def __init__(self, monkeypatch):
        self.refresh_tokens: list[str] = []
        self.problem: PlatformError | None = None
        self.before_answering = lambda: None
        monkeypatch.setattr(sign_in, "refresh_tokens", self.refresh)

    def refresh(self, tenant_id, refresh_token):
        self.refresh_tokens.append(refresh_token)
        self.before_answering()
        if self.problem is not None:
            raise self.problem
        number = len(self.refresh_tokens)
        return Tokens(f"renewed-{number}", time.time() + 3600, f"refresh-{number}", DELEGATED_PERMISSIONS)


def teams(connected) -> TeamsConnection:
    return TeamsConnection.objects.get(connection=connected)


def expire(connected, seconds_left=-1.0):
    row = teams(connected)
    row.tokens = {**row.tokens, "expires_at": time.time() + seconds_left}
    row.save(update_fields=["tokens"])


def test_a_valid_token_is_used_without_a_call(connected, microsoft, django_assert_num_queries):
    with django_assert_num_queries(1):
        token = user_tokens.access_token(connected)

    assert (token, microsoft.refresh_tokens) == ("an-access-token", [])


def test_an_expired_token_is_refreshed_and_stored(connected, microsoft):
    expire(connected)

    token = user_tokens.access_token(connected)

    assert token == "renewed-1"
    assert microsoft.refresh_tokens == ["a-refresh-token"]
    assert teams(connected).tokens["access_token"] == "renewed-1"


def test_the_rotated_refresh_token_is_used_next(connected, microsoft):
    expire(connected)
    user_tokens.access_token(connected)
    expire(connected)

    user_tokens.access_token(connected)

    assert microsoft.refresh_tokens == ["a-refresh-token", "refresh-1"]


def test_a_refresh_releases_the_lease(connected, microsoft):
    expire(connected)

    user_tokens.access_token(connected)

    assert teams(connected).lease_token is None


def test_a_token_that_graph_refused_is_refreshed_once(connected, microsoft):
    first = user_tokens.access_token(connected, refused="an-access-token")
    second = user_tokens.access_token(connected, refused="an-access-token")

    assert (first, second) == ("renewed-1", "renewed-1")
    assert len(microsoft.refresh_tokens) == 1


def test_a_valid_token_is_used_while_another_process_refreshes_it(connected, microsoft):
    expire(connected, seconds_left=60)
    user_tokens._acquire_lease(user_tokens._token_state(user_tokens.connected_row(connected)))

    token = user_tokens.access_token(connected)

    assert (token, microsoft.refresh_tokens) == ("an-access-token", [])


def test_waiting_too_long_for_another_process_is_an_outage(connected, microsoft, monkeypatch):
    monkeypatch.setattr(user_tokens, "_WAIT_SECONDS", 0.2)
    expire(connected)
    user_tokens._acquire_lease(user_tokens._token_state(user_tokens.connected_row(connected)))

    with pytest.raises(PlatformError) as caught:
        user_tokens.access_token(connected)

    assert caught.value.kind == ErrorKind.OUTAGE


def test_an_expired_lease_is_taken_over(connected, microsoft, settings):
    settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS = settings.MICROSOFT_READ_TIMEOUT_SECONDS = -2
    expire(connected)
    user_tokens._acquire_lease(user_tokens._token_state(user_tokens.connected_row(connected)))

    assert user_tokens.access_token(connected) == "renewed-1"


def test_a_refresh_that_another_process_finished_is_not_repeated(connected, microsoft):
    expire(connected)
    stale = user_tokens._token_state(user_tokens.connected_row(connected))
    user_tokens.access_token(connected)

    assert user_tokens._acquire_lease(stale) is None


def test_a_refused_refresh_token_needs_an_admin_at_once(connected, microsoft, maple, mailoutbox):
    make_member(maple, "Ada Lovell", "admin")
    expire(connected)
    microsoft.problem = PlatformError(ErrorKind.CONNECTION, message("Microsoft ended the sign-in."))

    with pytest.raises(PlatformError):
        user_tokens.access_token(connected)

    connected.refresh_from_db()
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert str(connected.status_reason) == "Microsoft ended the sign-in."


def test_a_connection_that_needs_an_admin_costs_no_call(connected, microsoft):
    connected.status = ConnectionStatus.NEEDS_REAUTHORIZATION
    connected.status_reason = message("Microsoft ended the sign-in.")
    connected.save()

    with pytest.raises(PlatformError, match="Microsoft ended the sign-in") as caught:
        user_tokens.access_token(connected)

    assert (caught.value.kind, microsoft.refresh_tokens) == (ErrorKind.CONNECTION, [])


@pytest.mark.parametrize("kind", [ErrorKind.OPERATOR, ErrorKind.OUTAGE])
def test_other_failures_leave_the_connection_connected(connected, microsoft, kind):
    expire(connected)
    microsoft.problem = PlatformError(kind, message("Not now."))

    with pytest.raises(PlatformError) as caught:
        user_tokens.access_token(connected)

    connected.refresh_from_db()
    assert (caught.value.kind, connected.status) == (kind, ConnectionStatus.CONNECTED)
    assert teams(connected).lease_token is None


def test_a_valid_token_is_used_during_an_outage(connected, microsoft):
    expire(connected, seconds_left=60)
    microsoft.problem = PlatformError(ErrorKind.OUTAGE, message("Not now."))

    found = [user_tokens.access_token(connected), user_tokens.access_token(connected)]

    assert found == ["an-access-token", "an-access-token"]
    assert len(microsoft.refresh_tokens) == 1


def test_a_slow_refusal_does_not_undo_a_reauthorization(connected, microsoft):
    expire(connected)
    microsoft.problem = PlatformError(ErrorKind.CONNECTION, message("Revoked."))
    microsoft.before_answering = lambda: reauthorize(connected)

    token = user_tokens.access_token(connected)

    connected.refresh_from_db()
    assert (token, connected.status) == ("reauthorized", ConnectionStatus.CONNECTED)


def test_a_slow_refresh_does_not_undo_a_reauthorization(connected, microsoft):
    expire(connected)
    microsoft.before_answering = lambda: reauthorize(connected)

    token = user_tokens.access_token(connected)

    assert token == "reauthorized"
    assert teams(connected).tokens["refresh_token"] == "a-new-refresh-token"


def test_a_slow_refresh_does_not_undo_a_disconnect(connected, microsoft):
    expire(connected)
    microsoft.before_answering = lambda: disconnect(connected)

    with pytest.raises(PlatformError) as caught:
        user_tokens.access_token(connected)

    assert (caught.value.kind, teams(connected).tokens) == (ErrorKind.CONNECTION, {})


def reauthorize(connected):
    row = teams(connected)
    row.tokens = {
        "access_token": "reauthorized",
        "expires_at": time.time() + 3600,
        "refresh_token": "a-new-refresh-token",
    }
    row.token_version += 1
    row.lease_token = None
    row.save()


def disconnect(connected):
    TeamsConnection.objects.filter(connection=connected).update(tokens={}, token_version=2)
    connected.status, connected.is_default = ConnectionStatus.DISCONNECTED, False
    connected.save()


def test_keep_alive_refreshes_tokens_after_a_day(connected, microsoft, monkeypatch):
    TeamsConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(tasks, "send", lambda _name, pk: tasks.renew(pk))

    tasks.keep_alive()

    assert microsoft.refresh_tokens == ["a-refresh-token"]
    assert list(user_tokens.due_for_keep_alive()) == []


def test_keep_alive_skips_tokens_refreshed_today(connected, microsoft, monkeypatch):
    monkeypatch.setattr(tasks, "send", lambda _name, pk: tasks.renew(pk))

    tasks.keep_alive()

    assert microsoft.refresh_tokens == []


def test_a_failed_refresh_does_not_break_the_task(connected, microsoft):
    microsoft.problem = PlatformError(ErrorKind.CONNECTION, message("Revoked."))

    tasks.renew(connected.pk)

    connected.refresh_from_db()
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_tokens_are_unreadable_in_the_database(connected):
    with database.cursor() as cursor:
        cursor.execute("SELECT tokens FROM teams_teamsconnection")
        (stored,) = cursor.fetchone()

    assert "token" not in stored


def test_after_reencrypt_tokens_the_old_key_is_not_needed(connected, settings):
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]

    call_command("reencrypt_tokens", stdout=StringIO())

    settings.ENCRYPTION_KEYS = [new]
    assert teams(connected).tokens["refresh_token"] == "a-refresh-token"


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_refresh_once(microsoft):
    connected = make_connection(make_organization())
    expire(connected)
    start = threading.Barrier(2)
    microsoft.before_answering = lambda: time.sleep(0.3)
    found = []

    def ask():
        try:
            start.wait()
            found.append(user_tokens.access_token(connected))
        finally:
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["renewed-1", "renewed-1"]
    assert microsoft.refresh_tokens == ["a-refresh-token"]

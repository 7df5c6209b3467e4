"""Sign-ins that Microsoft ended: one email to the admins for each time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.models import ConnectionEvent, ConnectionStatus, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams import tasks
from integrations.teams.connect.reauthorize import reauthorize_service_account
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.entra.id_token import Identity
from integrations.teams.entra.token_responses import APP_ROLES, DELEGATED_PERMISSIONS, AppToken, Tokens
from integrations.teams.models import Method, TeamsConnection
from tests.factories import SERVICE_ACCOUNT_ID, TENANT_ID, make_connection, make_member, make_organization
from tests.messages import message
from tests.outbox import send_all

WORKERS = 4
SUBJECT = "Microsoft Teams needs to be reauthorized"


@pytest.fixture
def refusing(monkeypatch) -> None:
    """Refuse every refresh with `invalid_grant`, after a pause in which all workers have started."""

    def refuse(*asked: object) -> None:
        time.sleep(0.2)
        raise PlatformError(ErrorKind.CONNECTION, message("Microsoft ended the sign-in. Use Reauthorize."))

    monkeypatch.setattr(sign_in, "refresh_tokens", refuse)
    monkeypatch.setattr(sign_in, "acquire_app_token", refuse)


@pytest.fixture
def ada(transactional_db):
    return make_member(make_organization(), "Ada Lovell", "admin")


@pytest.fixture
def connected(ada):
    return make_connection(ada.organization)


def expire(connected) -> None:
    row = TeamsConnection.objects.get(connection=connected)
    row.tokens = {**row.tokens, "expires_at": time.time() - 1}
    row.save(update_fields=["tokens"])


def ask_at_once(connected) -> list[ErrorKind]:
    """Request a token in several threads at once. Return the error of each."""
    together, problems = Barrier(WORKERS), []

    def ask() -> None:
        together.wait()
        try:
            user_tokens.access_token(connected)
        except PlatformError as problem:
            problems.append(problem.kind)
        finally:
            database.close()

    workers = [Thread(target=ask) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return problems


def reauthorize(connected, ada) -> None:
    identity = Identity(TENANT_ID, SERVICE_ACCOUNT_ID, "coconut-meetings@contoso.example", "Coconut Meetings")
    renewed = Tokens("a-token", time.time() + 3600, "a-refresh-token", DELEGATED_PERMISSIONS)
    reauthorize_service_account(connected.pk, ada, VerifiedServiceAccount(identity, renewed, "contoso.example"))


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("method", [Method.SERVICE_ACCOUNT, Method.ACCESS_POLICY])
def test_concurrent_refusals_send_one_email(connected, mailoutbox, method):
    TeamsConnection.objects.update(method=method)
    expire(connected)

    problems = ask_at_once(connected)

    connected.refresh_from_db()
    assert problems == [ErrorKind.CONNECTION] * WORKERS
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    send_all()
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [(SUBJECT, ["ada@maple.example"])]
    assert ConnectionEvent.objects.filter(kind=EventKind.TOKEN_REFUSED).count() == 1


@pytest.mark.usefixtures("refusing")
def test_another_refusal_after_reauthorize_sends_another_email(connected, ada, mailoutbox):
    expire(connected)
    ask_at_once(connected)
    reauthorize(connected, ada)
    connected.refresh_from_db()
    status_between = connected.status
    expire(connected)

    ask_at_once(connected)

    send_all()
    assert status_between == ConnectionStatus.CONNECTED
    assert [mail.subject for mail in mailoutbox] == [SUBJECT, SUBJECT]


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("method", [Method.SERVICE_ACCOUNT, Method.ACCESS_POLICY])
def test_the_daily_refresh_finds_a_dead_sign_in_of_either_method(connected, mailoutbox, monkeypatch, method):
    TeamsConnection.objects.update(method=method, refreshed_at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(tasks, "send", lambda _name, pk: tasks.renew(pk))

    tasks.keep_alive()

    send_all()
    connected.refresh_from_db()
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert [mail.subject for mail in mailoutbox] == [SUBJECT]


@pytest.mark.parametrize("method", [Method.SERVICE_ACCOUNT, Method.ACCESS_POLICY])
def test_the_daily_refresh_records_success_for_either_method(connected, monkeypatch, method):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    TeamsConnection.objects.update(method=method, refreshed_at=long_ago, consented_at=long_ago)
    renewed = Tokens("a-token", time.time() + 3600, "a-refresh-token", DELEGATED_PERMISSIONS)
    monkeypatch.setattr(sign_in, "refresh_tokens", lambda *asked: renewed)
    monkeypatch.setattr(
        sign_in,
        "acquire_app_token",
        lambda *asked: AppToken("a-token", time.time() + 3600, APP_ROLES),
    )
    monkeypatch.setattr(tasks, "refresh_account", lambda _connection: None)
    monkeypatch.setattr(tasks, "send", lambda _name, pk: tasks.renew(pk))

    tasks.keep_alive()

    connected.refresh_from_db()
    assert connected.last_success_at is not None
    assert list(user_tokens.due_for_keep_alive()) == []


def test_the_daily_refresh_records_that_our_credentials_are_refused(connected, monkeypatch):
    def refuse(*asked: object) -> None:
        raise PlatformError(ErrorKind.OPERATOR, message("Not accepted."))

    monkeypatch.setattr(sign_in, "refresh_tokens", refuse)

    tasks.renew(connected.pk)

    connected.refresh_from_db()
    assert (connected.status, connected.trouble_kind) == (ConnectionStatus.CONNECTED, ErrorKind.OPERATOR)

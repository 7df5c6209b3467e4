"""Wrong encryption keys: nothing is lost, pages open, and the reason names the operator."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from pytest_django import Settings

from integrations.models import Connection, ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.checks import check_tokens
from integrations.teams.entra import user_tokens
from integrations.teams.models import TeamsConnection
from staff.models import Role
from tests.factories import make_connection, make_member, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(settings: Settings) -> Connection:
    """A connection whose tokens were encrypted with a key that is no longer set."""
    connection = make_connection(make_organization())
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return connection


@pytest.fixture
def old_key(settings: Settings) -> str:
    key: str = settings.ENCRYPTION_KEYS[0]
    return key


def test_work_waits_for_the_operator_and_the_connection_stays_connected(connected: Connection) -> None:
    with pytest.raises(PlatformError) as failure:
        user_tokens.access_token(connected)

    connected.refresh_from_db()
    assert (failure.value.kind, connected.status) == (ErrorKind.OPERATOR, ConnectionStatus.CONNECTED)


@pytest.mark.parametrize("page", ["", "health/", "reauthorize/"])
def test_admins_can_open_the_pages_of_the_connection(client: Browser, connected: Connection, page: str) -> None:
    client.force_login(make_member(connected.organization, "Ada Marsh", Role.ADMIN))

    answer = client.get(f"/settings/video-calls/{connected.pk}/{page}", follow=True)

    assert answer.status_code == 200


def test_unreadable_tokens_are_saved_unchanged(old_key: str, connected: Connection, settings: Settings) -> None:
    row = TeamsConnection.objects.get(connection=connected)
    row.save()

    settings.ENCRYPTION_KEYS = [old_key]

    row.refresh_from_db()
    assert row.tokens["refresh_token"] == "a-refresh-token"


def test_reencrypt_tokens_reports_unreadable_tokens_and_leaves_them(
    old_key: str, connected: Connection, settings: Settings
) -> None:
    with pytest.raises(CommandError, match="Tokens of 1 connections can be read with none"):
        call_command("reencrypt_tokens", stdout=StringIO())

    settings.ENCRYPTION_KEYS = [old_key]
    assert TeamsConnection.objects.get().tokens["refresh_token"] == "a-refresh-token"


def test_a_database_check_reports_unreadable_tokens(connected: Connection) -> None:
    assert [message.id for message in check_tokens(databases=["default"])] == ["coconut.W004"]
    assert check_tokens() == []


def test_the_check_reports_nothing_if_the_keys_fit() -> None:
    make_connection(make_organization())

    assert check_tokens(databases=["default"]) == []

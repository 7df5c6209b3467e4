"""Keys that do not fit: nothing is lost, pages open, and everybody is told whose it is to mend."""

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
    """A connection whose tokens were stored with a key that is not set any more."""
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
def test_admins_can_open_the_pages_of_the_connection(
    client: Browser, connected: Connection, page: str
) -> None:
    client.force_login(make_member(connected.organization, "Ada Marsh", Role.ADMIN))

    answer = client.get(f"/settings/video-calls/{connected.pk}/{page}", follow=True)

    assert answer.status_code == 200


def test_what_cannot_be_read_is_written_back_as_it_was(
    old_key: str, connected: Connection, settings: Settings
) -> None:
    row = TeamsConnection.objects.get(connection=connected)
    row.save()

    settings.ENCRYPTION_KEYS = [old_key]

    row.refresh_from_db()
    assert row.tokens["refresh_token"] == "a-refresh-token"


def test_reencrypting_says_what_it_could_not_read_and_leaves_it(
    old_key: str, connected: Connection, settings: Settings
) -> None:
    with pytest.raises(CommandError, match="Tokens of 1 connections can be read with none"):
        call_command("reencrypt_tokens", stdout=StringIO())

    settings.ENCRYPTION_KEYS = [old_key]
    assert TeamsConnection.objects.get().tokens["refresh_token"] == "a-refresh-token"


def test_a_check_says_so_where_the_database_may_be_asked(connected: Connection) -> None:
    assert [message.id for message in check_tokens(databases=["default"])] == ["coconut.W004"]
    assert check_tokens() == []


def test_keys_that_fit_are_no_news() -> None:
    make_connection(make_organization())

    assert check_tokens(databases=["default"]) == []

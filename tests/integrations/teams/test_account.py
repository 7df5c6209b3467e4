"""Names of a connection's account that change at Microsoft."""

from __future__ import annotations

import pytest

from integrations.event_text import event_text
from integrations.models import Connection, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams import tasks
from integrations.teams.account import refresh_account
from integrations.teams.models import Method, TeamsConnection
from simulator import people
from tests.factories import make_connection
from tests.integrations.teams.oauth_steps import microsoft_address

NEW_NAMES = {"upn": "rooms@contoso.example", "name": "Meeting Rooms"}


@pytest.fixture
def signed_in(maple, simulator) -> Connection:
    """A service account connection of Maple, with tokens of the simulator."""
    simulator.control("consent", user=people.SERVICE_ACCOUNT)
    issued = simulator.control("token", user=people.SERVICE_ACCOUNT)
    connection = make_connection(maple, account_oid=simulator.person(people.SERVICE_ACCOUNT)["id"])
    connection.teams.tokens = {**connection.teams.tokens, **issued}
    connection.teams.save()
    return connection


@pytest.fixture
def by_policy(maple, simulator) -> Connection:
    """An access policy connection of Maple that Gail consented to."""
    simulator.control("consent")
    connection = make_connection(maple, account_oid=simulator.person(people.GLOBAL_ADMIN)["id"])
    names = {"account_upn": people.GLOBAL_ADMIN, "account_name": "Gail Adams"}
    TeamsConnection.objects.update(method=Method.ACCESS_POLICY, tokens={}, **names)
    return connection


def names() -> tuple[str, str]:
    row = TeamsConnection.objects.get()
    return row.account_upn, row.account_name


def history(connection: Connection) -> list[str]:
    return [event_text(event) for event in connection.events.all()]


def test_the_stored_names_follow_the_account(signed_in, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, **NEW_NAMES)

    refresh_account(signed_in)

    assert names() == ("rooms@contoso.example", "Meeting Rooms")
    assert history(signed_in) == [
        (
            "The service account is now called Meeting Rooms (rooms@contoso.example). "
            "It was Coconut Meetings (coconut-meetings@contoso.example)."
        )
    ]


def test_unchanged_names_add_nothing_to_the_history(signed_in):
    refresh_account(signed_in)

    assert history(signed_in) == []


def test_the_daily_renewal_follows_the_names(signed_in, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, **NEW_NAMES)

    tasks.renew(signed_in.pk)

    assert names() == ("rooms@contoso.example", "Meeting Rooms")


def test_reauthorize_asks_for_the_new_name(signed_in, simulator, ada_browser):
    simulator.control("person", user=people.SERVICE_ACCOUNT, **NEW_NAMES)
    refresh_account(signed_in)

    response = ada_browser.post(
        f"/settings/video-calls/teams/{signed_in.pk}/reauthorize/", {"tenant": people.CONTOSO_ID}
    )

    assert "login_hint=rooms%40contoso.example" in microsoft_address(response)


def test_the_names_of_the_consenting_administrator_are_followed(by_policy, simulator):
    simulator.control("person", user=people.GLOBAL_ADMIN, name="Gail Okoro")

    refresh_account(by_policy)

    assert names() == (people.GLOBAL_ADMIN, "Gail Okoro")
    assert history(by_policy) == [
        (
            "The administrator who consented is now called Gail Okoro (gail@contoso.example). "
            "It was Gail Adams (gail@contoso.example)."
        )
    ]


def test_an_administrator_who_left_keeps_the_stored_names(by_policy, simulator):
    simulator.control("person", user=people.GLOBAL_ADMIN, delete=True)

    refresh_account(by_policy)

    by_policy.refresh_from_db()
    assert (names(), by_policy.is_healthy) == ((people.GLOBAL_ADMIN, "Gail Adams"), True)


def test_names_of_another_account_are_not_stored(signed_in):
    TeamsConnection.objects.update(account_oid="another", account_name="Another")

    with pytest.raises(PlatformError) as refusal:
        refresh_account(signed_in)

    assert (refusal.value.kind, names()[1]) == (ErrorKind.UNUSABLE, "Another")


def test_a_rename_is_an_entry_of_the_audit_log(signed_in, simulator, ada_browser):
    simulator.control("person", user=people.SERVICE_ACCOUNT, **NEW_NAMES)

    refresh_account(signed_in)

    assert signed_in.events.get().kind == EventKind.NOTED
    assert "The service account is now called Meeting Rooms" in ada_browser.get("/settings/audit-log/").content.decode()

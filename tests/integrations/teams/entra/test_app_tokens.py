"""App-only tokens of the Application Access Policy method: cached in memory, renewed, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.platforms.values import PlatformError
from integrations.teams.entra import app_tokens, user_tokens
from integrations.teams.models import TeamsConnection
from tests.factories import TEAMS_ADDONS, make_organization
from tests.integrations.teams.oauth_steps import (
    connect_access_policy,
)
from tests.outbox import send_all


@pytest.fixture
def maple(db):
    return make_organization(addons=TEAMS_ADDONS)


@pytest.fixture
def by_policy(ada_browser, simulator, only_connection):
    connect_access_policy(ada_browser, simulator)
    app_tokens.forget_token(only_connection().pk)
    return only_connection()


def token_requests(simulator) -> int:
    logged = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"]
    return sum("/token" in entry["target"] for entry in logged)


def test_a_token_is_fetched_once_and_cached_in_memory(by_policy, simulator):
    before = token_requests(simulator)

    first, second = user_tokens.access_token(by_policy), user_tokens.access_token(by_policy)

    assert (first == second, token_requests(simulator) - before) == (True, 1)
    assert simulator.graph(first, "GET", "/users?$top=1").status_code == 200


def test_a_refused_token_is_not_returned_again(by_policy):
    first = user_tokens.access_token(by_policy)

    assert user_tokens.access_token(by_policy, refused=first) != first


def test_a_new_sign_in_invalidates_the_cached_token(by_policy, simulator):
    user_tokens.access_token(by_policy)
    before = token_requests(simulator)
    TeamsConnection.objects.update(token_version=by_policy.teams.token_version + 1)

    user_tokens.access_token(by_policy)

    assert token_requests(simulator) - before == 1


def long_ago() -> None:
    TeamsConnection.objects.update(consented_at=timezone.now() - timedelta(days=3))


def test_a_withdrawn_consent_needs_an_admin(by_policy, simulator, mailoutbox, django_capture_on_commit_callbacks):
    long_ago()
    simulator.control("consent", roles=["User.Read.All"])

    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(PlatformError, match=r"does not grant .* OnlineMeetings\.ReadWrite\.All"),
    ):
        user_tokens.access_token(by_policy)

    send_all()
    by_policy.refresh_from_db()
    assert by_policy.status == "needs_reauthorization"
    assert [mail.subject for mail in mailoutbox] == ["Microsoft Teams needs to be reauthorized"]


def test_a_token_without_roles_right_after_the_consent_is_an_outage(by_policy, simulator):
    simulator.control("fault", kind="no_roles", count=1)

    with pytest.raises(PlatformError, match="takes a few minutes until it shows"):
        user_tokens.access_token(by_policy)

    by_policy.refresh_from_db()
    assert by_policy.status == "connected"
    assert user_tokens.access_token(by_policy)


def test_an_outdated_refusal_changes_nothing(by_policy, simulator, monkeypatch):
    long_ago()
    simulator.control("consent", roles=[])
    row = user_tokens.connected_row(by_policy)
    TeamsConnection.objects.update(token_version=row.token_version + 1)

    with pytest.raises(PlatformError, match="does not grant"):
        app_tokens.access_token(row)

    by_policy.refresh_from_db()
    assert by_policy.status == "connected"


def test_keep_alive_finds_a_withdrawn_consent(by_policy, simulator):
    user_tokens.access_token(by_policy)
    long_ago()
    TeamsConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    simulator.control("revoke-consent")

    due_for_keep_alive = list(user_tokens.due_for_keep_alive())
    with pytest.raises(PlatformError, match="does not grant"):
        user_tokens.keep_alive(by_policy)

    by_policy.refresh_from_db()
    assert ([each.pk for each in due_for_keep_alive], by_policy.status) == (
        [by_policy.pk],
        "needs_reauthorization",
    )


def test_a_valid_token_is_used_during_an_outage(by_policy, simulator):
    first = user_tokens.access_token(by_policy)
    simulator.control("fault", kind="drop_before", service="entra")

    with time_machine.travel(timezone.now() + timedelta(minutes=57), tick=True):
        used = [user_tokens.access_token(by_policy), user_tokens.access_token(by_policy)]

    assert used == [first, first]


def test_a_renewal_that_fails_keeps_the_cached_token(by_policy, simulator):
    first = user_tokens.access_token(by_policy)
    simulator.control("fault", kind="token_down")

    with pytest.raises(PlatformError):
        user_tokens.keep_alive(by_policy)

    assert user_tokens.access_token(by_policy) == first


def test_a_renewal_fetches_a_new_token(by_policy, simulator):
    first, before = user_tokens.access_token(by_policy), token_requests(simulator)

    user_tokens.keep_alive(by_policy)

    assert user_tokens.access_token(by_policy) != first
    assert token_requests(simulator) - before == 1

"""Checks of a service account before Coconut says "connected": guests are refused, a missing licence is a warning."""

from __future__ import annotations

import pytest

from integrations.models import Connection
from integrations.teams.models import TeamsConnection
from simulator import people
from tests.integrations.teams.oauth_steps import (
    TRY_AGAIN,
    assert_back_with,
    connect_service_account,
    microsoft_address,
    shown_messages,
    sign_in,
    start_service_account,
)

CONNECTED = (
    "Microsoft Teams is connected. The account coconut-meetings@contoso.example appears as a participant in every "
    "meeting."
)
NO_LICENCE = (
    "Microsoft shows no Microsoft Teams licence for coconut-meetings@contoso.example, so it may refuse to make "
    "meetings. Ask a Microsoft administrator to assign one in the Microsoft 365 admin center, then use Check "
    "connection."
)
LICENCE_UNKNOWN = (
    "Microsoft does not let Coconut see whether coconut-meetings@contoso.example has a Microsoft Teams licence. Ask a "
    "Microsoft administrator to check it in the Microsoft 365 admin center."
)


def test_a_guest_is_refused_by_its_user_name(ada_browser, simulator):
    # A guest may be listed as a member of the tenant. The account is still at home elsewhere.
    simulator.control("person", user=people.GUEST, guest=False)

    response = ada_browser.get(sign_in(simulator, start_service_account(ada_browser), people.GUEST))

    sentence = (
        f"{people.GUEST} is a guest in this Microsoft tenant, and guests cannot make Teams meetings. Use an account of "
        "your own organisation."
    )
    assert_back_with(ada_browser, response, sentence, TRY_AGAIN)


def test_a_guest_is_refused_by_its_user_type(ada_browser, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, guest=True)

    ada_browser.get(sign_in(simulator, start_service_account(ada_browser)))

    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith("coconut-meetings@contoso.example is a guest in this Microsoft tenant")
    assert not Connection.objects.exists()


def test_reauthorize_refuses_a_guest_and_changes_nothing(ada_browser, simulator):
    connect_service_account(ada_browser, simulator)
    shown_messages(ada_browser)
    before = TeamsConnection.objects.get()
    simulator.control("person", user=people.SERVICE_ACCOUNT, guest=True)
    page = f"/settings/video-calls/teams/{before.connection_id}/reauthorize/"
    microsoft = simulator.browser()
    microsoft.open(microsoft_address(ada_browser.post(page, {"tenant": people.CONTOSO_ID})))
    microsoft.submit(loginfmt=people.SERVICE_ACCOUNT)

    response = ada_browser.get(microsoft.page.headers["Location"])

    (sentence,) = shown_messages(ada_browser)
    assert response.headers["Location"] == page
    assert sentence.startswith("coconut-meetings@contoso.example is a guest in this Microsoft tenant")
    assert TeamsConnection.objects.get().token_version == before.token_version


def test_a_licensed_account_connects_without_a_warning(ada_browser, simulator):
    connect_service_account(ada_browser, simulator)

    assert shown_messages(ada_browser) == [CONNECTED]


def test_an_account_without_licence_connects_with_a_warning(ada_browser, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=False)

    connect_service_account(ada_browser, simulator)

    assert shown_messages(ada_browser) == [CONNECTED, NO_LICENCE]
    assert Connection.objects.get().is_healthy


@pytest.mark.parametrize("fault", [{"kind": "forbidden"}, {"kind": "unavailable"}])
def test_an_unreadable_licence_is_a_warning(ada_browser, simulator, fault):
    simulator.control("fault", regex="/licenseDetails", **fault)

    connect_service_account(ada_browser, simulator)

    assert shown_messages(ada_browser) == [CONNECTED, LICENCE_UNKNOWN]
    assert Connection.objects.get().is_healthy


def test_the_checks_create_no_meeting(ada_browser, simulator):
    connect_service_account(ada_browser, simulator)

    assert simulator.state("meetings") == []

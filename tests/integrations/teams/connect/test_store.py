"""OAuth round trips to a simulated Microsoft that store a connection or lead back to the wizard."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection as database
from django.test import Client

from integrations.models import Connection, ConnectionStatus
from integrations.teams.entra import user_tokens
from integrations.teams.models import TeamsConnection
from simulator import people
from simulator.people import CONTOSO_ID
from tests.factories import make_member
from tests.integrations.teams.oauth_steps import (
    TRY_AGAIN,
    UPN_PAGE,
    assert_back_with,
    connect_service_account,
    shown_messages,
    sign_in,
    start_service_account,
)
from tests.outbox import send_all

# --- Connected ------------------------------------------------------------------------------------------


def test_the_callback_redirects_to_the_dashboard(ada_browser, simulator, only_connection):
    response = connect_service_account(ada_browser, simulator)

    assert response.headers["Location"] == f"/settings/video-calls/{only_connection().pk}/"
    (said,) = shown_messages(ada_browser)
    assert said == (
        "Microsoft Teams is connected. The account coconut-meetings@contoso.example appears as a participant in every "
        "meeting."
    )


def test_account_tenant_and_permissions_are_stored(ada_browser, simulator, maple, only_connection):
    connect_service_account(ada_browser, simulator, match_field="username")

    connection = only_connection()
    row = connection.teams
    assert (connection.organization, connection.match_field, connection.is_default) == (
        maple,
        "username",
        True,
    )
    assert (str(row.tenant_id), row.tenant_name) == (CONTOSO_ID, "Contoso")
    assert (row.account_upn, row.account_name) == (people.SERVICE_ACCOUNT, "Coconut Meetings")
    assert row.account_oid == simulator.person(people.SERVICE_ACCOUNT)["id"]
    assert sorted(row.granted) == ["OnlineMeetings.ReadWrite", "User.Read", "User.ReadBasic.All"]


def test_the_stored_token_opens_graph(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator)

    token = user_tokens.access_token(only_connection())

    assert simulator.graph(token, "GET", "/me").json()["userPrincipalName"] == people.SERVICE_ACCOUNT


def test_the_stored_sign_in_can_be_refreshed(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator)
    first = user_tokens.access_token(only_connection())

    renewed = user_tokens.access_token(only_connection(), refused=first)

    assert renewed != first
    assert simulator.graph(renewed, "GET", "/me").status_code == 200


def test_a_domain_can_replace_the_tenant_id(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator, tenant="maple.example")

    assert str(only_connection().teams.tenant_id) == CONTOSO_ID


def test_only_the_needed_permissions_are_requested(ada_browser, simulator):
    query = parse_qs(urlsplit(start_service_account(ada_browser)).query)

    host = "https://graph.microsoft.com"
    assert sorted(query["scope"][0].split()) == [
        f"{host}/OnlineMeetings.ReadWrite",
        f"{host}/User.Read",
        f"{host}/User.ReadBasic.All",
        "offline_access",
        "openid",
        "profile",
    ]
    assert query["prompt"] == ["select_account"]
    assert query["response_mode"] == ["query"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost:8000/settings/video-calls/teams/callback/"]
    assert query["state"][0]
    assert query["nonce"][0]


def test_a_certificate_can_replace_the_secret(ada_browser, simulator, settings, certificate, only_connection):
    settings.MICROSOFT_CLIENT_SECRET = ""
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)
    simulator.control("registration", certificate=certificate.pem)

    connect_service_account(ada_browser, simulator)

    assert only_connection().teams.account_upn == people.SERVICE_ACCOUNT


def test_the_same_account_is_refused_with_a_sentence(ada_browser, simulator):
    connect_service_account(ada_browser, simulator)
    shown_messages(ada_browser)

    response = connect_service_account(ada_browser, simulator)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert shown_messages(ada_browser) == ["Already connected. Use Reauthorize."]
    assert Connection.objects.count() == 1


def test_another_account_is_another_connection(ada_browser, simulator):
    connect_service_account(ada_browser, simulator)

    ada_browser.get(sign_in(simulator, start_service_account(ada_browser), upn=people.ORDINARY_USER))

    assert Connection.objects.count() == 2


def test_connecting_again_revives_the_disconnected_connection(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator)
    before = only_connection()
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
    TeamsConnection.objects.update(tokens={})

    connect_service_account(ada_browser, simulator, match_field="username")

    after = only_connection()
    assert (after.pk, after.status, after.match_field) == (before.pk, "connected", "username")
    assert after.teams.token_version == before.teams.token_version + 1
    assert user_tokens.access_token(after)


def test_two_organisations_may_each_connect_the_same_account(ada_browser, simulator, otto_browser):
    connect_service_account(ada_browser, simulator)

    connect_service_account(otto_browser, simulator)

    assert Connection.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_return_at_once_make_one_connection(ada_browser, simulator, maple):
    adam_browser = Client(headers={"host": "localhost:8000"})
    adam_browser.force_login(make_member(maple, "Adam Reed", "admin"))
    returns = [(browser, sign_in(simulator, start_service_account(browser))) for browser in (ada_browser, adam_browser)]

    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(lambda each: come_back(*each), returns))

    connection = Connection.objects.get()
    assert sorted(response.headers["Location"] for response in responses) == [
        "/settings/video-calls/",
        f"/settings/video-calls/{connection.pk}/",
    ]


def come_back(browser, address):
    """Run the callback in a thread, which has its own database connection."""
    try:
        return browser.get(address)
    finally:
        database.close()


# --- Trouble at Microsoft, or with Coconut's own credentials --------------------------------------------


UNREACHABLE = "Microsoft's sign-in service cannot be reached at the moment."


@pytest.mark.parametrize("kind", ["drop_before", "html", "truncated"])
def test_an_outage_of_the_token_endpoint_leads_back(ada_browser, simulator, kind):
    returned = sign_in(simulator, start_service_account(ada_browser))
    simulator.control("fault", kind=kind, regex=r"/oauth2/v2\.0/token")

    assert_back_with(ada_browser, ada_browser.get(returned), UNREACHABLE, TRY_AGAIN)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("unavailable", f"{UNREACHABLE} Microsoft's error code: AADSTS90033."),
        (
            "throttle",
            (
                "Microsoft's sign-in service is busy at the moment. Wait a few minutes. Microsoft's error "
                "code: AADSTS90055."
            ),
        ),
    ],
)
def test_a_busy_token_endpoint_leads_back(ada_browser, simulator, kind, sentence):
    returned = sign_in(simulator, start_service_account(ada_browser))
    simulator.control("fault", kind=kind, regex=r"/oauth2/v2\.0/token")

    assert_back_with(ada_browser, ada_browser.get(returned), sentence, TRY_AGAIN)


def test_an_outage_of_graph_leads_back(ada_browser, simulator):
    returned = sign_in(simulator, start_service_account(ada_browser))
    simulator.control("fault", kind="graph_down")

    response = ada_browser.get(returned)

    assert_back_with(ada_browser, response, "Microsoft Graph cannot be reached at the moment.", TRY_AGAIN)


@pytest.mark.parametrize(("kind", "number"), [("secret_wrong", 7000215), ("secret_expired", 7000222)])
def test_a_refused_client_secret_is_for_the_operator_to_fix(ada_browser, simulator, kind, number, mailoutbox):
    simulator.control("fault", kind=kind)

    response = connect_service_account(ada_browser, simulator)

    assert_back_with(
        ada_browser,
        response,
        "Microsoft does not accept Coconut's own credentials. Coconut's operator has been notified. Your account and "
        "your tenant are fine. Microsoft's error code: "
        f"AADSTS{number}.",
    )
    send_all()
    assert [mail.to for mail in mailoutbox] == [["olive@operator.example"]]


def test_operators_get_one_email(ada_browser, simulator, mailoutbox):
    simulator.control("fault", kind="secret_wrong")

    connect_service_account(ada_browser, simulator)
    connect_service_account(ada_browser, simulator)
    send_all()

    assert len(mailoutbox) == 1


def test_a_refused_client_secret_leaves_connections_connected(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator)
    simulator.control("fault", kind="secret_expired")

    with pytest.raises(Exception, match="Coconut's own credentials"):
        user_tokens.access_token(only_connection(), refused=user_tokens.access_token(only_connection()))

    assert only_connection().status == "connected"


# --- Secrets --------------------------------------------------------------------------------------------


def test_no_secret_is_logged_or_shown(ada_browser, simulator, only_connection, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("msal").setLevel(logging.INFO)  # as in the settings
    returned = sign_in(simulator, start_service_account(ada_browser))

    pages = ada_browser.get(returned).serialize().decode() + ada_browser.get(UPN_PAGE).content.decode()

    query = parse_qs(urlsplit(returned).query)
    stored = only_connection().teams.tokens
    secrets = [query["code"][0], query["state"][0], stored["access_token"], stored["refresh_token"]]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "urllib3.connectionpool")
    assert [secret for secret in secrets if secret in pages or secret in ours] == []

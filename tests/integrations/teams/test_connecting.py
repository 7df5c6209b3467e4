"""The whole round trip to a simulated Microsoft: connected, or back to the wizard with a sentence."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from integrations.models import Connection, ConnectionStatus
from integrations.teams import tokens
from integrations.teams.models import TeamsConnection
from simulator import people
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.factories import make_member, make_organization

FIRST = "/settings/video-calls/new/teams/"
SECOND = "/settings/video-calls/new/teams/tenant/"
CALLBACK = "/settings/video-calls/teams/callback/"
STRAY = "This way back from Microsoft was used before, or belongs to a sign-in that was not started here."
NOT_ACCEPTED = "Microsoft's answer does not belong to this sign-in"


def start(browser: Client, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer both questions; the address at Microsoft."""
    browser.post(FIRST, {"match_field": match_field})
    response = browser.post(SECOND, {"tenant": tenant})
    assert response.status_code == 303, response.content.decode()
    return str(response.headers["Location"])


def sign_in(simulator, address: str, upn: str = people.SERVICE_ACCOUNT, decision: str = "accept") -> str:
    """Pick an account at Microsoft and decide on the permissions; the address that Microsoft sends back to."""
    microsoft = simulator.browser()
    microsoft.open(address)
    microsoft.pick(upn)
    if not microsoft.is_back:
        microsoft.submit(decision=decision)
    assert microsoft.is_back, microsoft.page.text
    return str(microsoft.page.headers["Location"])


def connect(browser, simulator, **options):
    """The whole way; the page that it ends on."""
    return browser.get(sign_in(simulator, start(browser, **options)))


def told(browser) -> list[str]:
    """The messages that the next page shows."""
    response = browser.get(FIRST)
    return [str(message) for message in response.context["messages"]]


# --- Connected ------------------------------------------------------------------------------------------


def test_the_way_back_leads_to_the_dashboard(ada_browser, simulator, only_connection):
    response = connect(ada_browser, simulator)

    assert response.headers["Location"] == f"/settings/video-calls/{only_connection().pk}/"
    (said,) = told(ada_browser)
    assert said == (
        "Microsoft Teams is connected. The account coconut-meetings@contoso.example appears as a participant in every "
        "meeting."
    )


def test_what_microsoft_said_is_stored(ada_browser, simulator, maple, only_connection):
    connect(ada_browser, simulator, match_field="username")

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
    connect(ada_browser, simulator)

    token = tokens.access_token(only_connection())

    assert simulator.graph(token, "GET", "/me").json()["userPrincipalName"] == people.SERVICE_ACCOUNT


def test_the_stored_sign_in_can_be_renewed(ada_browser, simulator, only_connection):
    connect(ada_browser, simulator)
    first = tokens.access_token(only_connection())

    renewed = tokens.access_token(only_connection(), refused=first)

    assert renewed != first
    assert simulator.graph(renewed, "GET", "/me").status_code == 200


def test_a_domain_is_as_good_as_a_tenant_id(ada_browser, simulator, only_connection):
    connect(ada_browser, simulator, tenant="maple.example")

    assert str(only_connection().teams.tenant_id) == CONTOSO_ID


def test_microsoft_is_asked_for_what_is_needed_and_no_more(ada_browser, simulator):
    query = parse_qs(urlsplit(start(ada_browser)).query)

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


def test_a_certificate_is_as_good_as_a_secret(ada_browser, simulator, settings, certificate, only_connection):
    settings.MICROSOFT_CLIENT_SECRET = ""
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)
    simulator.control("registration", certificate=certificate.pem)

    connect(ada_browser, simulator)

    assert only_connection().teams.account_upn == people.SERVICE_ACCOUNT


def test_the_same_account_twice_is_refused_in_words(ada_browser, simulator):
    connect(ada_browser, simulator)
    told(ada_browser)

    response = connect(ada_browser, simulator)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert told(ada_browser) == ["Already connected. Use Reauthorize."]
    assert Connection.objects.count() == 1


def test_another_account_is_another_connection(ada_browser, simulator):
    connect(ada_browser, simulator)

    ada_browser.get(sign_in(simulator, start(ada_browser), upn=people.ORDINARY_USER))

    assert Connection.objects.count() == 2


def test_connecting_again_revives_what_was_disconnected(ada_browser, simulator, only_connection):
    connect(ada_browser, simulator)
    before = only_connection()
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
    TeamsConnection.objects.update(tokens={})

    connect(ada_browser, simulator, match_field="username")

    after = only_connection()
    assert (after.pk, after.status, after.match_field) == (before.pk, "connected", "username")
    assert after.teams.token_version == before.teams.token_version + 1
    assert tokens.access_token(after)


def test_two_organisations_may_each_connect_the_same_account(ada_browser, simulator, otto_browser):
    connect(ada_browser, simulator)

    connect(otto_browser, simulator)

    assert Connection.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_return_at_once_make_one_connection(ada_browser, simulator, maple):
    adam_browser = Client(headers={"host": "localhost:8000"})
    adam_browser.force_login(make_member(maple, "Adam Reed", "admin"))
    returns = [(browser, sign_in(simulator, start(browser))) for browser in (ada_browser, adam_browser)]

    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(lambda each: come_back(*each), returns))

    connection = Connection.objects.get()
    assert sorted(response.headers["Location"] for response in responses) == [
        "/settings/video-calls/",
        f"/settings/video-calls/{connection.pk}/",
    ]


def come_back(browser, address):
    """In a thread of its own, with a database connection of its own."""
    try:
        return browser.get(address)
    finally:
        database.close()


# --- Refused at Microsoft -------------------------------------------------------------------------------


def assert_back_with(browser, response, *sentences):
    """Back on the tenant page with exactly this said and the answer kept, and nothing stored."""
    assert response.headers["Location"] == SECOND
    page = browser.get(SECOND)
    assert [str(message) for message in page.context["messages"]] == [" ".join(sentences)]
    assert page.context["form"]["tenant"].value() == CONTOSO_ID
    assert not Connection.objects.exists()


TRY_AGAIN = "Nothing was connected. Your answers are still here: continue to try again."
CANCELLED = (
    "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
    "administrator to approve Coconut first."
)


def test_cancel_on_microsofts_page(ada_browser, simulator):
    returned = sign_in(simulator, start(ada_browser), decision="cancel")

    assert_back_with(ada_browser, ada_browser.get(returned), CANCELLED, TRY_AGAIN)


def test_cancel_without_a_description(ada_browser, simulator):
    state = parse_qs(urlsplit(start(ada_browser)).query)["state"][0]

    response = ada_browser.get(
        CALLBACK, {"error": "access_denied", "error_subcode": "cancel", "state": state}
    )

    assert_back_with(ada_browser, response, CANCELLED, TRY_AGAIN)


def test_consent_refused_by_the_tenant(ada_browser, simulator):
    simulator.control("fault", kind="refuse_consent")

    returned = sign_in(simulator, start(ada_browser))

    assert_back_with(ada_browser, ada_browser.get(returned), CANCELLED, TRY_AGAIN)


def test_after_cancel_continue_leads_to_a_connection(ada_browser, simulator, only_connection):
    ada_browser.get(sign_in(simulator, start(ada_browser), decision="cancel"))

    address = ada_browser.post(SECOND, {"tenant": CONTOSO_ID}).headers["Location"]
    ada_browser.get(sign_in(simulator, address))

    assert only_connection().match_field == "email"


# --- Ways back that are not accepted --------------------------------------------------------------------


def test_returning_twice(ada_browser, simulator):
    returned = sign_in(simulator, start(ada_browser))
    ada_browser.get(returned)
    told(ada_browser)

    ada_browser.get(returned)

    assert told(ada_browser) == [f"{STRAY} Start again."]
    assert Connection.objects.count() == 1


def test_returning_after_a_quarter_of_an_hour(ada_browser, simulator):
    returned = sign_in(simulator, start(ada_browser))

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        response = ada_browser.get(returned)

    assert_back_with(
        ada_browser,
        response,
        "The sign-in at Microsoft took longer than 15 minutes, so it was not accepted. Start again with Continue.",
    )


@pytest.mark.parametrize("query", [{}, {"code": "a-code"}, {"code": "a-code", "state": "somebody-elses"}])
def test_a_foreign_or_missing_state(ada_browser, simulator, query):
    start(ada_browser)

    response = ada_browser.get(CALLBACK, query)

    assert_back_with(ada_browser, response, f"{STRAY} Start again with Continue.")


def test_a_state_without_a_code(ada_browser, simulator):
    state = parse_qs(urlsplit(start(ada_browser)).query)["state"][0]

    response = ada_browser.get(CALLBACK, {"state": state})

    assert_back_with(ada_browser, response, "Microsoft could not complete the sign-in.", TRY_AGAIN)


def test_a_stranger_cannot_finish_somebody_elses_sign_in(ada_browser, simulator, otto_browser):
    returned = sign_in(simulator, start(ada_browser))

    otto_browser.get(returned)

    assert told(otto_browser) == [f"{STRAY} Start again."]
    assert not Connection.objects.exists()


def test_a_code_of_somebody_else_is_worth_nothing(ada_browser, simulator, otto_browser):
    stolen = parse_qs(urlsplit(sign_in(simulator, start(ada_browser))).query)["code"][0]
    own_state = parse_qs(urlsplit(start(otto_browser)).query)["state"][0]

    response = otto_browser.get(CALLBACK, {"code": stolen, "state": own_state})

    assert_back_with(
        otto_browser,
        response,
        "Microsoft did not accept this sign-in; it may have been used before or taken too long.",
        TRY_AGAIN,
    )


def test_signed_out_meanwhile(ada_browser, simulator):
    returned = sign_in(simulator, start(ada_browser))
    ada_browser.logout()

    response = ada_browser.get(returned)

    assert response.headers["Location"] == "/sign-in/?next=%2Fsettings%2Fvideo-calls%2F"
    page = ada_browser.get(response.headers["Location"])
    assert [str(message) for message in page.context["messages"]] == [
        "You were signed out of Coconut meanwhile, so nothing was connected. Sign in and start again."
    ]


def test_the_add_on_was_switched_off_meanwhile(ada_browser, simulator, maple):
    returned = sign_in(simulator, start(ada_browser))
    maple.teams_addon = False
    maple.save()

    response = ada_browser.get(returned)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert not Connection.objects.exists()


def test_no_longer_an_admin(ada_browser, simulator, ada):
    returned = sign_in(simulator, start(ada_browser))
    ada.role = "staff"
    ada.save()

    response = ada_browser.get(returned)

    assert response.status_code == 403
    assert not Connection.objects.exists()


# --- Sign-ins that prove the wrong thing ----------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"claims": {"aud": "another-app"}},
        {"claims": {"nonce": "another-nonce"}},
        {"claims": {"exp": 1_000_000_000}},
        {"bad_signature": True},
        {"without": ["nonce"]},
        {"without": ["oid"]},
        {"without": ["tid"]},
        {"without": ["exp"]},
        {"without": ["aud"]},
        {"without": ["iss"]},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_in_order(ada_browser, simulator, fault):
    simulator.control("fault", kind="id_token", **fault)

    response = connect(ada_browser, simulator)

    assert response.headers["Location"] == SECOND
    assert told(ada_browser)[0].startswith(NOT_ACCEPTED)
    assert not Connection.objects.exists()


OTHER_TENANT = (
    "This account belongs to another Microsoft tenant than the one you entered. Sign in with an account of that "
    "tenant, or correct the tenant ID."
)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": f"https://login.microsoftonline.com/{FABRIKAM_ID}/v2.0", "tid": FABRIKAM_ID},
        {"iss": "https://evil.example/v2.0"},
        {"tid": FABRIKAM_ID},
    ],
    ids=str,
)
def test_an_account_of_another_tenant(ada_browser, simulator, claims):
    simulator.control("fault", kind="id_token", claims=claims)

    response = connect(ada_browser, simulator)

    assert_back_with(ada_browser, response, OTHER_TENANT, TRY_AGAIN)


def test_an_account_whose_profile_is_somebody_elses(ada_browser, simulator):
    simulator.control("fault", kind="id_token", claims={"oid": "00000000-0000-4000-8000-000000000009"})

    response = connect(ada_browser, simulator)

    assert_back_with(ada_browser, response, OTHER_TENANT, TRY_AGAIN)


def test_no_refresh_token(ada_browser, simulator):
    simulator.control("fault", kind="no_refresh_token")

    connect(ada_browser, simulator)

    assert told(ada_browser)[0].startswith("Microsoft did not allow Coconut to stay signed in")
    assert not Connection.objects.exists()


def test_a_refresh_token_that_does_not_work(ada_browser, simulator):
    simulator.control("fault", kind="refresh_revoked")

    connect(ada_browser, simulator)

    assert told(ada_browser)[0].startswith("Microsoft ended the account's sign-in")
    assert not Connection.objects.exists()


# --- Trouble at Microsoft, or with Coconut's own credentials --------------------------------------------

UNREACHABLE = "Microsoft's sign-in service cannot be reached at the moment."


@pytest.mark.parametrize("kind", ["unavailable", "drop_before", "html", "truncated", "throttle"])
def test_the_token_endpoint_is_down(ada_browser, simulator, kind):
    returned = sign_in(simulator, start(ada_browser))
    simulator.control("fault", kind=kind, regex=r"/oauth2/v2\.0/token")

    assert_back_with(ada_browser, ada_browser.get(returned), UNREACHABLE, TRY_AGAIN)


def test_graph_is_down(ada_browser, simulator):
    returned = sign_in(simulator, start(ada_browser))
    simulator.control("fault", kind="graph_down")

    response = ada_browser.get(returned)

    assert_back_with(ada_browser, response, "Microsoft Graph cannot be reached at the moment.", TRY_AGAIN)


@pytest.mark.parametrize("kind", ["secret_wrong", "secret_expired"])
def test_a_refused_client_secret_is_the_operators(ada_browser, simulator, kind, mailoutbox):
    simulator.control("fault", kind=kind)

    response = connect(ada_browser, simulator)

    assert_back_with(
        ada_browser,
        response,
        "Microsoft does not accept Coconut's own credentials. This is for Coconut's operator to mend, who has been "
        "told; there is nothing wrong with your account or your tenant.",
    )
    assert [mail.to for mail in mailoutbox] == [["olive@operator.example"]]


def test_the_operator_is_told_once(ada_browser, simulator, mailoutbox):
    simulator.control("fault", kind="secret_wrong")

    connect(ada_browser, simulator)
    connect(ada_browser, simulator)

    assert len(mailoutbox) == 1


def test_a_refused_client_secret_leaves_connections_connected(ada_browser, simulator, only_connection):
    connect(ada_browser, simulator)
    simulator.control("fault", kind="secret_expired")

    with pytest.raises(Exception, match="Coconut's own credentials"):
        tokens.access_token(only_connection(), refused=tokens.access_token(only_connection()))

    assert only_connection().status == "connected"


# --- Secrets --------------------------------------------------------------------------------------------


def test_no_secret_is_logged_or_shown(ada_browser, simulator, only_connection, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("msal").setLevel(logging.INFO)  # as the settings say
    returned = sign_in(simulator, start(ada_browser))

    pages = ada_browser.get(returned).serialize().decode() + ada_browser.get(FIRST).content.decode()

    query = parse_qs(urlsplit(returned).query)
    stored = only_connection().teams.tokens
    secrets = [query["code"][0], query["state"][0], stored["access_token"], stored["refresh_token"]]
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "urllib3.connectionpool"
    )
    assert [secret for secret in secrets if secret in pages or secret in ours] == []


@pytest.fixture
def otto_browser(db) -> Client:
    """Otto of Cedar, signed in."""
    otto = make_member(make_organization("Cedar Bank"), "Otto Keller", "admin")
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(otto)
    return browser

"""Connect by the Application Access Policy method, against a simulated Microsoft."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.models import Connection, ConnectionStatus
from simulator import people
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.factories import TEAMS_ADDONS, make_member, make_organization
from tests.integrations.teams.oauth_steps import (
    CALLBACK,
    POLICY_PAGE,
    UPN_PAGE,
    WAITING_PAGE,
    accept,
    answer_last_questions,
    connect_access_policy,
    consent,
    is_tenant_page,
    latest_run,
    shown_messages,
    start_access_policy,
)

TRY_AGAIN = "Nothing was connected. Your answers are still here: continue to try again."


@pytest.fixture
def maple(db):
    return make_organization(addons=TEAMS_ADDONS)


@pytest.fixture
def otto_browser(db):
    cedar = make_organization("Cedar Bank", addons=TEAMS_ADDONS)
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(make_member(cedar, "Otto Keller", "admin"))
    return browser


def assert_refused(browser: Client, response, sentence: str) -> None:
    """Assert a redirect to the tenant page with this sentence, the answers kept and nothing stored."""
    assert is_tenant_page(response)
    assert shown_messages(browser) == [f"{sentence} {TRY_AGAIN}"]
    assert browser.get(response.headers["Location"]).context["form"]["tenant"].value() == CONTOSO_ID
    assert not Connection.objects.exists()


# --- The questions --------------------------------------------------------------------------------------


def test_with_the_add_on_the_tile_leads_to_the_policy_page(ada_browser, simulator):
    response = ada_browser.get(POLICY_PAGE)

    page = unescape(response.content.decode())
    assert response.status_code == 200
    assert 'New-CsApplicationAccessPolicy -Identity Coconut -AppIds "c0c0a075-' in page
    assert 'Set-CsApplicationAccessPolicy -Identity Global -AppIds @{Add="c0c0a075-' in page


def test_without_the_add_on_the_tile_leads_to_the_upn_page(ada_browser, simulator, maple):
    maple.addons = ["teams"]
    maple.save()

    assert ada_browser.get(POLICY_PAGE).headers["Location"] == UPN_PAGE


def test_the_upn_page_comes_after_the_choice_of_a_method(ada_browser, simulator):
    assert ada_browser.get(UPN_PAGE).headers["Location"] == POLICY_PAGE


def test_continue_with_the_box_unchecked_is_refused(ada_browser, simulator):
    response = ada_browser.post(POLICY_PAGE, {})

    (sentence,) = response.context["form"].errors["acknowledged"]
    assert sentence.startswith("Create or update the Application Access Policy first, then tick the box.")


def test_the_box_stays_checked_when_the_admin_returns(ada_browser, simulator):
    ada_browser.post(POLICY_PAGE, {"acknowledged": "on"})

    form = ada_browser.get(f"{POLICY_PAGE}?run={latest_run(ada_browser)}").context["form"]

    assert form["acknowledged"].value() == "yes"


def test_the_service_account_method_can_be_used_instead(ada_browser, simulator):
    ada_browser.post(POLICY_PAGE, {"acknowledged": "on"})
    instead = f"/settings/video-calls/new/teams/service-account/?run={latest_run(ada_browser)}"
    upn_page = ada_browser.get(instead).headers["Location"]

    address = answer_last_questions(ada_browser, upn_page)

    assert urlsplit(address).path.endswith("/oauth2/v2.0/authorize")


def test_the_letter_to_the_microsoft_admin_holds_the_client_id_and_no_link_to_sign_in(ada_browser, simulator, settings):
    admin_letter = ada_browser.get(POLICY_PAGE).context["admin_letter"]

    assert settings.MICROSOFT_CLIENT_ID in admin_letter
    assert [word for word in admin_letter.split() if word.startswith("http")] == [
        "https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy"
    ]


def test_consent_is_requested_for_all_permissions_of_the_registration(ada_browser, simulator):
    address = urlsplit(start_access_policy(ada_browser))

    query = parse_qs(address.query)
    assert address.path == f"/{CONTOSO_ID}/v2.0/adminconsent"
    assert query["scope"] == ["https://graph.microsoft.com/.default"]
    assert query["redirect_uri"] == ["http://localhost:8000/settings/video-calls/teams/callback/"]
    assert len(query["state"][0]) > 30


# --- Connected ------------------------------------------------------------------------------------------


def test_the_callback_redirects_to_the_dashboard(ada_browser, simulator, only_connection):
    response = connect_access_policy(ada_browser, simulator)

    assert response.headers["Location"] == f"/settings/video-calls/{only_connection().pk}/"
    assert shown_messages(ada_browser) == [
        "Microsoft Teams is connected. Each staff member organises their own meetings."
    ]


def test_the_administrator_is_shown_and_no_token_is_stored(ada_browser, simulator, only_connection):
    connect_access_policy(ada_browser, simulator, match_field="username")

    connection = only_connection()
    row = connection.teams
    assert (row.method, row.account_upn, row.account_name) == (
        "access_policy",
        people.GLOBAL_ADMIN,
        "Gail Adams",
    )
    assert sorted(row.granted) == ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    assert (row.tokens, connection.match_field, connection.is_default) == ({}, "username", True)


def test_a_privileged_role_administrator_may_consent(ada_browser, simulator, only_connection):
    consent(ada_browser, simulator, start_access_policy(ada_browser), people.PRIVILEGED_ADMIN)

    assert only_connection().teams.account_upn == people.PRIVILEGED_ADMIN


def test_the_sign_in_that_proves_the_tenant_needs_no_permission_and_no_click(ada_browser, simulator):
    microsoft = simulator.browser()
    returned = accept(microsoft, start_access_policy(ada_browser))

    proof = ada_browser.get(returned).headers["Location"]

    query = parse_qs(urlsplit(proof).query)
    assert sorted(query["scope"][0].split()) == ["openid", "profile"]
    assert "prompt" not in query
    microsoft.open(proof)
    assert microsoft.is_back


def test_connecting_again_revives_the_disconnected_connection(ada_browser, simulator, only_connection):
    connect_access_policy(ada_browser, simulator)
    before = only_connection()
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    consent(ada_browser, simulator, start_access_policy(ada_browser), people.PRIVILEGED_ADMIN)

    after = only_connection()
    assert (after.pk, after.status) == (before.pk, "connected")
    assert after.teams.account_upn == people.PRIVILEGED_ADMIN
    assert after.teams.token_version == before.teams.token_version + 1


def test_the_same_tenant_is_refused_even_if_another_administrator_consents(ada_browser, simulator):
    connect_access_policy(ada_browser, simulator)
    shown_messages(ada_browser)

    response = consent(ada_browser, simulator, start_access_policy(ada_browser), people.PRIVILEGED_ADMIN)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert shown_messages(ada_browser) == ["Already connected. Use Reauthorize."]
    assert Connection.objects.count() == 1


# --- Consent that is slow to show -----------------------------------------------------------------------


def waiting_page(browser: Client) -> str:
    return f"{WAITING_PAGE}?run={latest_run(browser)}"


def test_a_consent_that_does_not_show_yet_leads_to_the_waiting_page(ada_browser, simulator, only_connection):
    simulator.control("fault", kind="no_roles", count=2)

    response = connect_access_policy(ada_browser, simulator)
    waiting = waiting_page(ada_browser)
    page = ada_browser.get(waiting)
    again = ada_browser.post(waiting)
    found = ada_browser.post(waiting)

    assert response.headers["Location"] == again.headers["Location"] == waiting
    assert list(page.context["missing"]) == ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    assert found.headers["Location"] == f"/settings/video-calls/{only_connection().pk}/"


def test_a_role_without_consent_is_named(ada_browser, simulator):
    simulator.control("registration", roles=["OnlineMeetings.ReadWrite.All"])

    connect_access_policy(ada_browser, simulator)

    page = ada_browser.get(waiting_page(ada_browser)).content.decode()
    assert "<code>User.Read.All</code>" in page
    assert "<code>OnlineMeetings.ReadWrite.All</code>" not in page
    assert not Connection.objects.exists()


def test_waiting_ends_after_a_quarter_of_an_hour(ada_browser, simulator):
    simulator.control("fault", kind="no_roles")
    connect_access_policy(ada_browser, simulator)
    waiting = waiting_page(ada_browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=True):
        response = ada_browser.post(waiting)

    assert is_tenant_page(response)
    assert not Connection.objects.exists()


def test_the_waiting_page_needs_a_consent(ada_browser, simulator):
    response = ada_browser.post(WAITING_PAGE)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert shown_messages(ada_browser) == ["No consent given at Microsoft is waiting here. Start again."]


# --- Forged, refused, or by the wrong people ------------------------------------------------------------

REFUSED = (
    "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
    "administrator to approve Coconut first."
)
ANOTHER_TENANT = (
    "This account belongs to another Microsoft tenant than the one you entered. Sign in with an account of that "
    "tenant, or correct the tenant ID."
)


@pytest.mark.parametrize("spelling", ["consent_required", "permission_denied", "access_denied"])
def test_every_spelling_of_a_cancel_leads_back(ada_browser, simulator, spelling):
    simulator.control("behaviour", admin_refusal=spelling)
    returned = accept(simulator.browser(), start_access_policy(ada_browser), decision="cancel")

    response = ada_browser.get(returned)

    assert_refused(ada_browser, response, f"{REFUSED} Microsoft's error code: AADSTS65004.")


@pytest.mark.parametrize(
    ("error", "number", "beginning"),
    [
        ("invalid_client", 650052, "Microsoft Graph, which Coconut needs, is missing or switched off"),
        ("access_denied", 53003, "A Conditional Access or multi-factor rule of Microsoft Entra stops this sign-in."),
        ("interaction_required", 5000225, "Microsoft blocked your tenant"),
        ("access_denied", 90094, "Your organisation lets only administrators approve apps at Microsoft."),
    ],
)
def test_the_reason_of_a_refused_consent_is_shown_with_its_number(ada_browser, simulator, error, number, beginning):
    simulator.control("fault", kind="refuse_consent", code=error, number=number)

    response = ada_browser.get(accept(simulator.browser(), start_access_policy(ada_browser)))

    assert is_tenant_page(response)
    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith(beginning)
    assert f"Microsoft's error code: AADSTS{number}." in sentence


def test_an_error_with_admin_consent_true_is_no_consent(ada_browser, simulator):
    state = parse_qs(urlsplit(start_access_policy(ada_browser)).query)["state"][0]
    forged = {
        "error": "consent_required",
        "admin_consent": "True",
        "tenant": CONTOSO_ID,
        "state": state,
    }

    response = ada_browser.get(CALLBACK, forged)

    assert_refused(ada_browser, response, REFUSED)


def test_a_consent_for_another_tenant_is_refused(ada_browser, simulator):
    state = parse_qs(urlsplit(start_access_policy(ada_browser)).query)["state"][0]

    response = ada_browser.get(CALLBACK, {"admin_consent": "True", "tenant": FABRIKAM_ID, "state": state})

    assert_refused(ada_browser, response, ANOTHER_TENANT)


def test_a_forged_consent_leads_to_a_sign_in_that_a_stranger_cannot_do(ada_browser, simulator):
    simulator.control("consent")  # Contoso consented before, for another organisation
    state = parse_qs(urlsplit(start_access_policy(ada_browser)).query)["state"][0]
    forged = {"admin_consent": "True", "tenant": CONTOSO_ID, "state": state}
    proof = ada_browser.get(f"{CALLBACK}?{urlencode(forged)}").headers["Location"]
    microsoft = simulator.browser()

    microsoft.open(proof)
    microsoft.pick(people.FABRIKAM_ADMIN)

    assert not microsoft.is_back
    assert not Connection.objects.exists()


def test_an_ordinary_employee_of_a_tenant_that_consented_before_is_refused(ada_browser, simulator):
    simulator.control("consent")
    state = parse_qs(urlsplit(start_access_policy(ada_browser)).query)["state"][0]
    forged = {"admin_consent": "True", "tenant": CONTOSO_ID, "state": state}
    proof = ada_browser.get(f"{CALLBACK}?{urlencode(forged)}").headers["Location"]

    response = ada_browser.get(accept(simulator.browser(), proof, people.ORDINARY_USER))

    assert_refused(
        ada_browser,
        response,
        f"{people.ORDINARY_USER} is no administrator who may consent for the organisation. Sign in to Microsoft with "
        "an account that has the role Privileged Role Administrator or Global Administrator.",
    )


def test_two_organisations_of_one_tenant_may_each_connect_it(ada_browser, otto_browser, simulator):
    connect_access_policy(ada_browser, simulator)

    connect_access_policy(otto_browser, simulator)

    assert Connection.objects.count() == 2


def test_the_callback_of_a_consent_can_be_used_once(ada_browser, simulator):
    returned = accept(simulator.browser(), start_access_policy(ada_browser))
    ada_browser.get(returned)

    response = ada_browser.get(returned)

    assert is_tenant_page(response)
    assert not Connection.objects.exists()


def test_the_add_on_was_switched_off_meanwhile(ada_browser, simulator, maple):
    address = start_access_policy(ada_browser)
    maple.addons = ["teams"]
    maple.save()

    consent(ada_browser, simulator, address)

    assert shown_messages(ada_browser) == ["Optional add-on. Please contact your Customer Success Team to get started."]
    assert not Connection.objects.exists()

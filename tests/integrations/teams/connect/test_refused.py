"""Callbacks that connect nothing and lead back to the wizard with a sentence."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.utils import timezone

from demo.programs import SIMULATED_CLIENT_ID
from integrations.models import Connection
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.integrations.teams.oauth_steps import (
    TRY_AGAIN,
    assert_back_with,
    connect_service_account,
    is_tenant_page,
    microsoft_address,
    shown_messages,
    sign_in,
    start_service_account,
)
from tests.outbox import send_all

CALLBACK = "/settings/video-calls/teams/callback/"
STRAY = "This way back from Microsoft was used before, or belongs to a sign-in that was not started here."
NOT_ACCEPTED = "Microsoft's answer does not belong to this sign-in"


# --- Refused at Microsoft -------------------------------------------------------------------------------


CANCELLED = (
    "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
    "administrator to approve Coconut first."
)


DECLINED = "Microsoft's error code: AADSTS65004."


def test_cancel_on_microsofts_page(ada_browser, simulator):
    returned = sign_in(simulator, start_service_account(ada_browser), decision="cancel")

    assert_back_with(ada_browser, ada_browser.get(returned), f"{CANCELLED} {DECLINED}", TRY_AGAIN)


def test_cancel_without_a_description(ada_browser, simulator):
    state = parse_qs(urlsplit(start_service_account(ada_browser)).query)["state"][0]

    response = ada_browser.get(CALLBACK, {"error": "access_denied", "error_subcode": "cancel", "state": state})

    assert_back_with(ada_browser, response, CANCELLED, TRY_AGAIN)


def test_consent_refused_by_the_tenant(ada_browser, simulator):
    simulator.control("fault", kind="refuse_consent")

    returned = sign_in(simulator, start_service_account(ada_browser))

    assert_back_with(ada_browser, ada_browser.get(returned), f"{CANCELLED} {DECLINED}", TRY_AGAIN)


@pytest.mark.parametrize(
    ("error", "number", "beginning"),
    [
        ("invalid_client", 650052, "Microsoft Graph, which Coconut needs, is missing or switched off"),
        ("access_denied", 50105, "The account is not assigned to Coconut in Microsoft Entra."),
        ("access_denied", 53003, "A Conditional Access or multi-factor rule of Microsoft Entra stops this sign-in."),
        ("access_denied", 90094, "Your organisation lets only administrators approve apps at Microsoft."),
        ("interaction_required", 5000225, "Microsoft blocked your tenant"),
        ("unauthorized_client", 700016, "Coconut is missing or switched off in this Microsoft tenant."),
        ("server_error", 90033, "Microsoft's sign-in service cannot be reached at the moment."),
        ("invalid_request", 999999, "Microsoft's sign-in service refused a request for a reason"),
    ],
)
def test_the_reason_of_a_refusal_is_shown_with_its_number(ada_browser, simulator, error, number, beginning):
    simulator.control("fault", kind="refuse_consent", code=error, number=number)

    response = ada_browser.get(sign_in(simulator, start_service_account(ada_browser)))

    assert is_tenant_page(response)
    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith(beginning)
    assert f"Microsoft's error code: AADSTS{number}." in sentence


def test_a_callback_with_an_error_changes_no_connection_and_sends_no_email(
    ada_browser, simulator, only_connection, mailoutbox
):
    connect_service_account(ada_browser, simulator)
    send_all()
    mailoutbox.clear()
    state = parse_qs(urlsplit(start_service_account(ada_browser)).query)["state"][0]

    ada_browser.get(CALLBACK, {"error": "invalid_client", "error_description": "AADSTS7000215: x", "state": state})

    send_all()
    assert (only_connection().status, only_connection().trouble_kind, mailoutbox) == ("connected", "", [])


def test_continue_after_cancel_leads_to_a_connection(ada_browser, simulator, only_connection):
    cancelled = ada_browser.get(sign_in(simulator, start_service_account(ada_browser), decision="cancel"))

    response = ada_browser.post(cancelled.headers["Location"], {"tenant": CONTOSO_ID})
    address = microsoft_address(response)
    ada_browser.get(sign_in(simulator, address))

    assert only_connection().match_field == "email"


# --- Ways back that are not accepted --------------------------------------------------------------------


def test_a_callback_is_used_once(ada_browser, simulator):
    returned = sign_in(simulator, start_service_account(ada_browser))
    ada_browser.get(returned)
    shown_messages(ada_browser)

    ada_browser.get(returned)

    assert shown_messages(ada_browser) == [f"{STRAY} Start again."]
    assert Connection.objects.count() == 1


def test_a_callback_after_a_quarter_of_an_hour_is_refused(ada_browser, simulator):
    returned = sign_in(simulator, start_service_account(ada_browser))

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        response = ada_browser.get(returned)

    assert_back_with(
        ada_browser,
        response,
        "The sign-in at Microsoft took longer than 15 minutes, so it was not accepted. Start again with Continue.",
    )


@pytest.mark.parametrize("query", [{}, {"code": "a-code"}, {"code": "a-code", "state": "somebody-elses"}])
def test_a_foreign_or_missing_state_is_refused(ada_browser, simulator, query):
    start_service_account(ada_browser)

    response = ada_browser.get(CALLBACK, query)

    assert_back_with(ada_browser, response, f"{STRAY} Start again with Continue.")


def test_a_state_without_a_code_is_refused(ada_browser, simulator):
    state = parse_qs(urlsplit(start_service_account(ada_browser)).query)["state"][0]

    response = ada_browser.get(CALLBACK, {"state": state})

    assert_back_with(ada_browser, response, "Microsoft could not complete the sign-in.", TRY_AGAIN)


def test_a_stranger_cannot_finish_another_admins_sign_in(ada_browser, simulator, otto_browser):
    returned = sign_in(simulator, start_service_account(ada_browser))

    otto_browser.get(returned)

    assert shown_messages(otto_browser) == [f"{STRAY} Start again."]
    assert not Connection.objects.exists()


def test_a_code_of_another_sign_in_is_refused(ada_browser, simulator, otto_browser):
    stolen = parse_qs(urlsplit(sign_in(simulator, start_service_account(ada_browser))).query)["code"][0]
    own_state = parse_qs(urlsplit(start_service_account(otto_browser)).query)["state"][0]

    response = otto_browser.get(CALLBACK, {"code": stolen, "state": own_state})

    assert_back_with(
        otto_browser,
        response,
        "Microsoft did not accept this sign-in; it may have been used before or taken too long. Microsoft's error "
        "code: AADSTS501481.",
        TRY_AGAIN,
    )


def test_a_sign_out_from_coconut_during_the_sign_in_connects_nothing(ada_browser, simulator):
    returned = sign_in(simulator, start_service_account(ada_browser))
    ada_browser.logout()

    response = ada_browser.get(returned)

    assert response.headers["Location"] == "/sign-in/?next=%2Fsettings%2Fvideo-calls%2F"
    page = ada_browser.get(response.headers["Location"])
    assert [str(message) for message in page.context["messages"]] == [
        "You were signed out of Coconut meanwhile, so nothing was connected. Sign in and start again."
    ]


def test_the_add_on_was_switched_off_meanwhile(ada_browser, simulator, maple):
    returned = sign_in(simulator, start_service_account(ada_browser))
    maple.addons = []
    maple.save()

    response = ada_browser.get(returned)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert not Connection.objects.exists()


def test_a_former_admin_connects_nothing(ada_browser, simulator, ada):
    returned = sign_in(simulator, start_service_account(ada_browser))
    ada.role = "staff"
    ada.save()

    response = ada_browser.get(returned)

    # The change of role has ended the session.
    assert response.headers["Location"].startswith("/sign-in/")
    assert not Connection.objects.exists()


# --- Sign-ins that prove the wrong thing ----------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"claims": {"aud": "another-app"}},
        # Types that Microsoft doesn't document.
        {"claims": {"aud": [SIMULATED_CLIENT_ID, "another-app"]}},
        {"claims": {"oid": ["00000000-0000-4000-8000-000000000009"]}},
        {"claims": {"wids": "62e90394-69f5-4237-9190-012177145e10"}},
        {"claims": {"wids": [1]}},
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
def test_an_invalid_id_token_is_refused(ada_browser, simulator, fault):
    simulator.control("fault", kind="id_token", **fault)

    response = connect_service_account(ada_browser, simulator)

    assert is_tenant_page(response)
    assert shown_messages(ada_browser)[0].startswith(NOT_ACCEPTED)
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
def test_an_account_of_another_tenant_is_refused(ada_browser, simulator, claims):
    simulator.control("fault", kind="id_token", claims=claims)

    response = connect_service_account(ada_browser, simulator)

    assert_back_with(ada_browser, response, OTHER_TENANT, TRY_AGAIN)


def test_an_account_with_the_profile_of_another_account_is_refused(ada_browser, simulator):
    simulator.control("fault", kind="id_token", claims={"oid": "00000000-0000-4000-8000-000000000009"})

    response = connect_service_account(ada_browser, simulator)

    assert_back_with(ada_browser, response, OTHER_TENANT, TRY_AGAIN)


@pytest.mark.parametrize("seconds", [400, -4000])
def test_a_wrong_clock_of_the_server_is_for_the_operator(ada_browser, simulator, seconds, mailoutbox):
    simulator.control("behaviour", clock_offset=seconds)

    connect_service_account(ada_browser, simulator)

    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith("The clock of Coconut's server is wrong")
    send_all()
    assert [mail.to for mail in mailoutbox] == [["olive@operator.example"]]


def test_a_sign_in_without_a_refresh_token_is_refused(ada_browser, simulator):
    simulator.control("fault", kind="no_refresh_token")

    connect_service_account(ada_browser, simulator)

    assert shown_messages(ada_browser)[0].startswith("Microsoft did not allow Coconut to stay signed in")
    assert not Connection.objects.exists()


def test_a_refresh_token_that_does_not_work_is_refused(ada_browser, simulator):
    simulator.control("fault", kind="refresh_revoked")

    connect_service_account(ada_browser, simulator)

    assert shown_messages(ada_browser)[0].startswith("Microsoft ended the account's sign-in")
    assert not Connection.objects.exists()

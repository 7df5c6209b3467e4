"""Entra's error numbers: the acting person, the sentence and the number, at each place where Microsoft refuses."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.entra.error_table import _GROUPS, ROWS
from integrations.teams.entra.errors import callback_error, read_refusal
from integrations.teams.entra.token_responses import Tokens
from tests.factories import TENANT_ID, make_connection, make_member, make_organization
from tests.integrations.teams.entra.token_endpoint import DISCOVERY, ISSUED, TOKEN_ENDPOINT, pending_flow, refusal
from tests.outbox import send_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_emails_sent_yet(servers):
    cache.clear()


def refresh() -> Tokens:
    return sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")


def app_token() -> object:
    return sign_in.acquire_app_token(TENANT_ID)


def code() -> object:
    flow = pending_flow()
    return sign_in.redeem_id_token(TENANT_ID, flow, {"state": flow["state"], "code": "a-code"})


REQUESTS = pytest.mark.parametrize("request_token", [refresh, app_token, code])


def problem_of(request_token) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        request_token()
    return caught.value


def returned(error: str, number: int) -> PlatformError:
    """Return the error of a callback with Microsoft's query."""
    return callback_error({"error": error, "error_description": f"AADSTS{number}: In Microsoft's words."})


# --- Acting person --------------------------------------------------------------------------------------

PASSES = [
    ("invalid_grant", 50196, ErrorKind.THROTTLED),
    ("invalid_request", 90024, ErrorKind.THROTTLED),
    ("invalid_request", 90055, ErrorKind.THROTTLED),
    ("invalid_grant", 90033, ErrorKind.OUTAGE),
    ("invalid_request", 90025, ErrorKind.OUTAGE),
    ("invalid_client", 50033, ErrorKind.OUTAGE),
    ("invalid_grant", 50087, ErrorKind.OUTAGE),
    ("temporarily_unavailable", 999999, ErrorKind.OUTAGE),
    # An unknown refusal ends no connection and sends no email.
    ("invalid_request", 999999, ErrorKind.OUTAGE),
    ("a_new_word", 999999, ErrorKind.OUTAGE),
]
FOR_ADMINS = [
    ("invalid_client", 7000229),
    ("invalid_client", 650052),
    ("invalid_resource", 500011),
    ("invalid_resource", 500014),
    ("invalid_resource", 999999),
    ("unauthorized_client", 700016),
    ("unauthorized_client", 999999),
    ("invalid_request", 5000224),
    ("interaction_required", 5000225),
    ("access_denied", 53003),
    ("access_denied", 530084),
    ("access_denied", 999999),
    ("invalid_grant", 50105),
    ("invalid_grant", 50173),
    ("invalid_grant", 700082),
    ("invalid_grant", 999999),
    ("interaction_required", 50076),
    ("interaction_required", 90094),
    ("access_denied", 90095),
    ("invalid_request", 90002),
]
FOR_OPERATORS = [
    ("invalid_client", 7000215),
    ("invalid_client", 7000218),
    ("invalid_client", 7000222),
    ("invalid_client", 700027),
    ("invalid_client", 999999),
    ("invalid_request", 50011),
    ("invalid_client", 650056),
    ("invalid_resource", 650057),
    ("invalid_request", 50194),
    ("invalid_scope", 70011),
]


@REQUESTS
@pytest.mark.parametrize(("error", "number", "kind"), PASSES)
def test_trouble_of_microsoft_passes_without_help(entra, mailoutbox, request_token, error, number, kind):
    entra.post(TOKEN_ENDPOINT, json=refusal(error, number), status=400)

    assert problem_of(request_token).kind == kind
    send_all()
    assert mailoutbox == []


@REQUESTS
@pytest.mark.parametrize(("error", "number"), FOR_ADMINS)
def test_trouble_of_the_tenant_is_for_an_admin_and_sends_no_email(entra, mailoutbox, request_token, error, number):
    entra.post(TOKEN_ENDPOINT, json=refusal(error, number), status=401)

    assert problem_of(request_token).kind == ErrorKind.CONNECTION
    send_all()
    assert mailoutbox == []


@REQUESTS
@pytest.mark.parametrize(("error", "number"), FOR_OPERATORS)
def test_a_refused_app_registration_is_for_operators(entra, mailoutbox, request_token, error, number):
    entra.post(TOKEN_ENDPOINT, json=refusal(error, number), status=401)

    assert problem_of(request_token).kind == ErrorKind.OPERATOR
    send_all()
    assert [f"AADSTS{number} " in mail.body for mail in mailoutbox] == [True]


@pytest.mark.parametrize(("error", "number"), [*FOR_ADMINS, *FOR_OPERATORS])
def test_a_response_with_status_429_passes_with_any_error(entra, error, number):
    entra.post(TOKEN_ENDPOINT, json=refusal(error, number), status=429)

    assert problem_of(refresh).kind == ErrorKind.THROTTLED


def test_a_tenant_that_discovery_no_longer_finds_is_for_an_admin(entra):
    entra.replace("GET", DISCOVERY, json=refusal("invalid_tenant", 90002), status=400)

    problem = problem_of(refresh)

    assert problem.kind == ErrorKind.CONNECTION
    assert str(problem).startswith("Microsoft no longer knows your tenant.")


# --- Sentence -------------------------------------------------------------------------------------------

SENTENCES = [
    (53003, "A Conditional Access or multi-factor rule of Microsoft Entra stops this sign-in."),
    (50057, "The account is disabled at Microsoft. Enable it there."),
    (50055, "The account's password has expired. Change it at Microsoft."),
    (70043, "A sign-in frequency rule of Microsoft Entra ended the sign-in, and will again."),
    (50105, "The account is not assigned to Coconut in Microsoft Entra."),
    (90094, "Your organisation lets only administrators approve apps at Microsoft."),
    (5000225, "Microsoft blocked your tenant, for example because it was not used. Only Microsoft's support can"),
    (650052, "Microsoft Graph, which Coconut needs, is missing or switched off in your Microsoft tenant."),
    (500014, "Microsoft Graph, which Coconut needs, is missing or switched off in your Microsoft tenant."),
]


@pytest.mark.parametrize(
    ("number", "beginning"),
    [
        *SENTENCES,
        (65001, "The consent to Coconut's permissions was taken back at Microsoft. Use Reauthorize."),
        (7000229, "Coconut was removed or switched off in your Microsoft tenant."),
        (999999, "Microsoft no longer accepts the sign-in. Use Reauthorize."),
    ],
)
def test_a_live_connection_is_reauthorized_after_the_remedy(entra, number, beginning):
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", number), status=400)

    sentence = str(problem_of(refresh))

    assert sentence.startswith(beginning)
    assert sentence.endswith(f"se Reauthorize. Microsoft's error code: AADSTS{number}.")


@pytest.mark.parametrize(
    ("number", "beginning"),
    [
        *SENTENCES,
        (7000229, "Coconut is missing or switched off in this Microsoft tenant. Check the tenant ID."),
        (700016, "Coconut is missing or switched off in this Microsoft tenant. Check the tenant ID."),
        (50020, "This account belongs to another Microsoft tenant than the one you entered."),
        (65004, "Coconut was not given permission at Microsoft: either Cancel was pressed, or"),
        (999999, "Coconut was not given permission at Microsoft: either Cancel was pressed, or"),
        (7000215, "Microsoft does not accept Coconut's app registration. Contact your Customer Success Team"),
        (50196, "Microsoft's sign-in service is busy at the moment. Wait a few minutes."),
        (90033, "Microsoft's sign-in service cannot be reached at the moment."),
    ],
)
def test_an_admin_who_comes_back_from_microsoft_reads_the_remedy(number, beginning):
    sentence = str(returned("access_denied", number))

    assert sentence.startswith(beginning)
    assert sentence.endswith(f" Microsoft's error code: AADSTS{number}.")
    assert "Reauthorize" not in sentence


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_request"])
def test_a_forged_callback_sends_no_email(mailoutbox, error):
    returned(error, 7000215)

    send_all()
    assert mailoutbox == []


def test_a_code_that_was_redeemed_before_says_so(entra):
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", 54005), status=400)

    assert str(problem_of(code)) == (
        "Microsoft did not accept this sign-in; it may have been used before or taken too long. Microsoft's error "
        "code: AADSTS54005."
    )


def test_admins_find_the_number_in_health_history_and_email(entra, mailoutbox):
    maple = make_organization()
    ada, connection = make_member(maple, "Ada Lovell", "admin"), make_connection(maple)
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", 50057), status=400)
    with pytest.raises(PlatformError):
        user_tokens.access_token(connection, refused="an-access-token")
    browser = Client()
    browser.force_login(ada)

    page = browser.get(reverse("connection-health", args=[connection.pk])).content.decode()

    send_all()
    sentence = "Enable it there. Then use Reauthorize. Microsoft&#x27;s error code: AADSTS50057."
    # In the health line and in the history.
    assert page.count(sentence) >= 2
    assert ["AADSTS50057" in mail.body for mail in mailoutbox] == [True]


@pytest.mark.parametrize("number", sorted(ROWS))
def test_microsofts_own_text_is_never_shown(entra, number):
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", number), status=400)

    problem = problem_of(refresh)

    assert ("In Microsoft's words" in str(problem), problem.request_id) == (False, "a-trace")
    assert f"AADSTS{number}" in str(problem)


def test_each_number_is_in_one_row():
    numbers = [number for group, _row in _GROUPS for number in group]

    assert sorted(numbers) == sorted(ROWS)


# --- Number ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"error_codes": [50076]}, 50076),
        # The cause, which is known, comes after an unknown number.
        ({"error_codes": [999999, 50057]}, 50057),
        ({"error_description": "AADSTS50012: Failed. AADSTS700027: Assertion."}, 50012),
        ({"error_codes": ["50076", None, True], "error_description": "AADSTS50057: Disabled."}, 50057),
        ({"error_description": "AADSTS50057"}, 50057),
        ({"error_description": f"AADSTS{'9' * 5000}"}, 0),
        ({"error_codes": [10**5000]}, 0),
        ({"error_codes": {"a": 1}, "error_description": ["AADSTS"]}, 0),
        ({}, 0),
    ],
    ids=["code", "cause", "description", "types", "short", "digits", "large", "shapes", "empty"],
)
def test_the_number_is_found_in_codes_or_description(body, number):
    assert read_refusal(body).number == number


@pytest.mark.parametrize("trace_id", ["a\x00b", "x" * 101, 7, None, ["a"]])
def test_a_trace_id_that_cannot_be_stored_is_dropped(trace_id):
    assert read_refusal({"error": "invalid_grant", "trace_id": trace_id}).trace_id == ""


def test_a_token_after_a_refusal_is_returned(entra):
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_grant", 50196), status=400)
    entra.post(TOKEN_ENDPOINT, json=ISSUED)
    problem_of(refresh)

    assert refresh().access_token == "new-access-token"

"""Entra sign-in: discovery, authorize with a code, consent."""

import base64
import hashlib
import json

import jwt
import msal
import pytest
import requests
from requests.adapters import HTTPAdapter

from simulator import people
from simulator.app_registration import CLIENT_ID, CLIENT_SECRET, GRAPH_HOST
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.simulator.client import CALLBACK, Simulator, plain_session, sign_in


def discover(simulator: Simulator, tenant: str) -> requests.Response:
    url = f"{simulator.url}/{tenant}/v2.0/.well-known/openid-configuration"
    return simulator.http.get(url, timeout=10)


def read_id_token(simulator: Simulator, token: str) -> dict[str, object]:
    keys = simulator.http.get(f"{simulator.url}/{CONTOSO_ID}/discovery/v2.0/keys", timeout=10).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    return dict(jwt.decode(token, key.key, ["RS256"], audience=CLIENT_ID))


@pytest.mark.parametrize("name", [CONTOSO_ID, "maple.example", "CONTOSO.example"])
def test_discovery_accepts_tenant_ids_and_verified_domains(simulator, name):
    document = discover(simulator, name).json()

    assert document["issuer"] == f"https://login.microsoftonline.com/{CONTOSO_ID}/v2.0"


def test_discovery_names_the_simulator_as_authorization_endpoint(simulator):
    document = discover(simulator, CONTOSO_ID).json()

    assert document["authorization_endpoint"] == f"{simulator.url}/{CONTOSO_ID}/oauth2/v2.0/authorize"


def test_discovery_of_an_unknown_tenant_is_error_90002(simulator):
    response = discover(simulator, "nowhere.example")

    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (400, "invalid_tenant", [90002])


@pytest.mark.parametrize(
    ("name", "tenant"), [("common", "{tenantid}"), ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad")]
)
def test_discovery_of_an_account_type_has_microsofts_issuer(simulator, name, tenant):
    document = discover(simulator, name).json()

    assert document["issuer"] == f"https://login.microsoftonline.com/{tenant}/v2.0"


def test_a_sign_in_shows_picker_and_consent_and_returns_a_code(simulator):
    browser = simulator.browser()

    browser.authorize()
    first_heading = browser.heading
    browser.pick(people.SERVICE_ACCOUNT)
    second_heading = browser.heading
    browser.submit(decision="accept")

    assert (first_heading, second_heading) == ("Pick an account", "Permissions requested")
    assert browser.callback_parameters.keys() == {"code", "session_state", "state"}


def test_a_redeemed_code_returns_tokens_with_microsofts_claims(simulator):
    tokens = sign_in(simulator, people.SERVICE_ACCOUNT)

    claims = read_id_token(simulator, tokens["id_token"])
    account = simulator.person(people.SERVICE_ACCOUNT)
    assert claims["iss"] == f"https://login.microsoftonline.com/{CONTOSO_ID}/v2.0"
    assert (claims["tid"], claims["oid"], claims["nonce"]) == (CONTOSO_ID, account["id"], "the-nonce")
    assert claims["preferred_username"] == people.SERVICE_ACCOUNT
    assert tokens["scope"].split() == [
        "openid",
        "profile",
        f"{GRAPH_HOST}/OnlineMeetings.ReadWrite",
        f"{GRAPH_HOST}/User.Read",
        f"{GRAPH_HOST}/User.ReadBasic.All",
    ]


def test_client_info_has_the_account_if_requested(simulator):
    browser = simulator.browser()

    browser.authorize(client_info="1")
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="accept")

    padded = browser.callback_parameters["client_info"] + "=="
    oid = simulator.person(people.SERVICE_ACCOUNT)["id"]
    assert json.loads(base64.urlsafe_b64decode(padded)) == {"uid": oid, "utid": CONTOSO_ID}


def test_administrators_have_their_role_in_wids(simulator):
    tokens = sign_in(simulator, people.PRIVILEGED_ADMIN)

    claims = read_id_token(simulator, tokens["id_token"])
    assert claims["wids"] == [people.PRIVILEGED_ROLE_ADMINISTRATOR]


def test_ordinary_users_have_the_user_role_in_wids(simulator):
    tokens = sign_in(simulator, people.ORDINARY_USER)

    claims = read_id_token(simulator, tokens["id_token"])
    assert claims["wids"] == ["b79fbf4d-3ef9-4689-8143-76b194e85509"]


@pytest.mark.parametrize("fault", [{"kind": "id_token", "without": ["wids"]}, {"kind": "no_wids"}])
def test_a_fault_can_omit_wids(simulator, fault):
    simulator.control("fault", **fault, count=1)

    tokens = sign_in(simulator, people.PRIVILEGED_ADMIN)

    assert "wids" not in read_id_token(simulator, tokens["id_token"])


def test_a_fault_can_change_claims_of_the_id_token(simulator):
    simulator.control("fault", kind="id_token", claims={"tid": FABRIKAM_ID}, without=["nonce"], count=1)

    claims = read_id_token(simulator, sign_in(simulator, people.SERVICE_ACCOUNT)["id_token"])

    assert claims["tid"] == FABRIKAM_ID
    assert "nonce" not in claims


def test_a_fault_can_forge_the_signature_of_the_id_token(simulator):
    simulator.control("fault", kind="id_token", bad_signature=True, count=1)
    tokens = sign_in(simulator, people.SERVICE_ACCOUNT)

    with pytest.raises(jwt.InvalidSignatureError):
        read_id_token(simulator, tokens["id_token"])


def test_cancel_returns_access_denied_with_a_subcode(simulator):
    browser = simulator.browser()

    browser.authorize()
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="cancel")

    parameters = browser.callback_parameters
    assert (parameters["error"], parameters["error_subcode"], parameters["state"]) == (
        "access_denied",
        "cancel",
        "the-state",
    )


def test_consent_is_remembered(simulator):
    sign_in(simulator, people.SERVICE_ACCOUNT)
    browser = simulator.browser()

    browser.authorize()
    browser.pick(people.SERVICE_ACCOUNT)

    assert "code" in browser.callback_parameters


def test_prompt_consent_shows_the_consent_page_again(simulator):
    sign_in(simulator, people.SERVICE_ACCOUNT)
    browser = simulator.browser()

    browser.authorize(prompt="consent")
    browser.pick(people.SERVICE_ACCOUNT)

    assert browser.heading == "Permissions requested"


def test_a_sign_in_with_a_session_is_silent(simulator):
    browser = simulator.browser()
    browser.authorize()
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="accept")

    browser.authorize(prompt="", scope="openid profile")

    assert "code" in browser.callback_parameters


def test_prompt_none_without_a_session_is_login_required(simulator):
    browser = simulator.browser()

    browser.authorize(prompt="none")

    assert browser.callback_parameters["error"] == "login_required"


def test_prompt_login_shows_the_hinted_account_and_continues_with_next(simulator):
    browser = simulator.browser()

    browser.authorize(prompt="login", login_hint=people.SERVICE_ACCOUNT)
    heading, text = browser.heading, browser.page.text
    browser.submit(loginfmt=people.SERVICE_ACCOUNT)

    assert (heading, people.SERVICE_ACCOUNT in text) == ("Sign in", True)
    assert browser.heading == "Permissions requested"


def test_an_account_of_another_tenant_gets_microsofts_error_page(simulator):
    browser = simulator.browser()

    browser.authorize()
    browser.pick(people.FABRIKAM_ADMIN)

    assert browser.page.status_code == 400
    assert "AADSTS50020" in browser.page.text


def test_the_organizations_authority_accepts_accounts_of_any_tenant(simulator):
    browser = simulator.browser()
    browser.authorize("organizations")
    browser.pick(people.FABRIKAM_ADMIN)
    browser.submit(decision="accept")

    tokens = simulator.redeem(browser.callback_parameters["code"], "organizations").json()

    assert read_id_token(simulator, tokens["id_token"])["tid"] == FABRIKAM_ID


def test_an_admin_only_permission_needs_admin_approval(simulator):
    browser = simulator.browser()

    browser.authorize(scope=f"openid {GRAPH_HOST}/User.Read.All")
    browser.pick(people.ORDINARY_USER)

    assert browser.heading == "Need admin approval"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"redirect_uri": "http://localhost:8000/elsewhere/"}, "AADSTS50011"),
        ({"redirect_uri": "http://evil.example/settings/video-calls/teams/callback/"}, "AADSTS50011"),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, "AADSTS700016"),
    ],
)
def test_a_wrong_app_or_redirect_uri_never_redirects(simulator, changes, number):
    page = simulator.browser().authorize(**changes)

    assert page.status_code == 400
    assert number in page.text


def test_an_unknown_tenant_shows_an_error_page(simulator):
    page = simulator.browser().authorize("nowhere.example")

    assert "AADSTS90002" in page.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid Mail.Send"}, "invalid_client"),
        ({"scope": ""}, "invalid_request"),
    ],
)
def test_other_errors_are_redirected_to_the_app(simulator, changes, error):
    browser = simulator.browser()

    browser.authorize(**changes)

    assert browser.callback_parameters["error"] == error


def test_form_post_returns_the_code_in_a_form(simulator):
    browser = simulator.browser()
    browser.authorize(response_mode="form_post")
    browser.pick(people.SERVICE_ACCOUNT)

    page = browser.submit(decision="accept")

    assert f'action="{CALLBACK}"' in page.text
    assert 'name="code"' in page.text


class SimulatorAdapter(HTTPAdapter):
    """Send requests for Microsoft's sign-in host to the simulator."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def send(self, request, **options):  # type: ignore[override]
        request.url = request.url.replace("https://login.microsoftonline.com", self.base, 1)
        return super().send(request, **options)


def test_msal_signs_in_and_refreshes(simulator):
    session = plain_session()
    session.mount("https://login.microsoftonline.com", SimulatorAdapter(simulator.url))
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=CLIENT_SECRET,
        authority=f"https://login.microsoftonline.com/{CONTOSO_ID}",
        http_client=session,
        instance_discovery=False,
    )
    scopes = [f"{GRAPH_HOST}/User.Read", f"{GRAPH_HOST}/OnlineMeetings.ReadWrite"]
    flow = app.initiate_auth_code_flow(scopes, CALLBACK, prompt="select_account")
    browser = simulator.browser()
    browser.open(flow["auth_uri"])
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="accept")

    result = app.acquire_token_by_auth_code_flow(flow, browser.callback_parameters)
    account = app.get_accounts()[0]
    cached = app.acquire_token_silent_with_error(scopes, account)
    refreshed = app.acquire_token_silent_with_error(scopes, account, force_refresh=True)

    assert result["id_token_claims"]["nonce"] == hashlib.sha256(flow["nonce"].encode()).hexdigest()
    assert cached["token_source"] == "cache"
    assert refreshed["token_source"] == "identity_provider"

"""Entra token endpoint: codes, refresh tokens, app-only tokens, client errors."""

import datetime as dt
import time

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from simulator import people
from simulator.app_registration import CLIENT_ID
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.simulator.client import SCOPE, Simulator, sign_in


def new_code(simulator: Simulator) -> str:
    browser = simulator.browser()
    browser.authorize()
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="accept")
    return browser.callback_parameters["code"]


def refresh(simulator: Simulator, refresh_token: str, tenant: str = CONTOSO_ID, **form: str):
    defaults = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": SCOPE}
    return simulator.token(tenant, **{**defaults, **form})


def claims_of(token: str) -> dict[str, object]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_code_can_be_redeemed_once(simulator):
    code = new_code(simulator)
    simulator.redeem(code)

    body = simulator.redeem(code).json()

    assert (body["error"], body["error_codes"]) == ("invalid_grant", [54005])


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"code_verifier": "another-verifier-of-at-least-forty-three-characters"}, 501481),
        ({"redirect_uri": "http://localhost:9999/settings/video-calls/teams/callback/"}, 500112),
        ({"tenant": FABRIKAM_ID}, 700005),
    ],
)
def test_a_code_is_bound_to_verifier_redirect_uri_and_tenant(simulator, form, number):
    code = new_code(simulator)

    body = simulator.redeem(code, **form).json()

    assert body["error_codes"] == [number]


def test_errors_have_microsofts_fields(simulator):
    response = simulator.token(grant_type="refresh_token", refresh_token="nonsense")

    body = response.json()
    assert response.status_code == 400
    assert body.keys() == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    assert body["error_description"].startswith("AADSTS70000: ")


def test_a_refresh_returns_a_new_refresh_token_and_keeps_the_old_one_valid(simulator):
    first = sign_in(simulator, people.SERVICE_ACCOUNT)["refresh_token"]

    second = refresh(simulator, first).json()["refresh_token"]
    reused = refresh(simulator, first)

    assert second != first
    assert reused.status_code == 200


def test_a_sign_in_without_offline_access_returns_no_refresh_token(simulator):
    browser = simulator.browser()
    scope = SCOPE.replace(" offline_access", "")
    browser.authorize(scope=scope)
    browser.pick(people.SERVICE_ACCOUNT)
    browser.submit(decision="accept")

    tokens = simulator.redeem(browser.callback_parameters["code"], scope=scope).json()

    assert "refresh_token" not in tokens


def test_a_fault_omits_the_refresh_token(simulator):
    simulator.control("fault", kind="no_refresh_token", count=1)

    assert "refresh_token" not in sign_in(simulator, people.SERVICE_ACCOUNT)


@pytest.mark.parametrize(
    ("how", "number", "suberror"), [("revoked", 50173, "bad_token"), ("expired", 700082, "token_expired")]
)
def test_ended_refresh_tokens_are_rejected(simulator, how, number, suberror):
    token = sign_in(simulator, people.SERVICE_ACCOUNT)["refresh_token"]
    simulator.control("refresh-tokens", how=how, user=people.SERVICE_ACCOUNT)

    body = refresh(simulator, token).json()

    assert (body["error"], body["error_codes"], body["suberror"]) == ("invalid_grant", [number], suberror)


def test_a_refresh_after_revoked_consent_is_rejected(simulator):
    token = sign_in(simulator, people.SERVICE_ACCOUNT)["refresh_token"]
    simulator.control("revoke-consent", user=people.SERVICE_ACCOUNT)

    body = refresh(simulator, token).json()

    assert (body["error_codes"], body["suberror"]) == ([65001], "consent_required")


def test_a_disabled_account_cannot_refresh(simulator):
    token = sign_in(simulator, people.SERVICE_ACCOUNT)["refresh_token"]
    simulator.control("person", user=people.SERVICE_ACCOUNT, enabled=False)

    assert refresh(simulator, token).json()["error_codes"] == [50057]


@pytest.mark.parametrize(
    ("change", "form", "number"),
    [
        ({}, {"client_secret": "wrong"}, 7000215),
        ({"secret_expired": True}, {}, 7000222),
        ({}, {"client_secret": ""}, 7000218),
    ],
)
def test_a_wrong_expired_or_missing_secret_is_invalid_client_with_401(simulator, change, form, number):
    simulator.control("registration", **change)

    response = simulator.app_only(**form)

    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (401, "invalid_client", [number])


def test_app_tokens_need_a_service_principal_in_the_tenant(simulator):
    body = simulator.app_only().json()

    assert (body["error"], body["error_codes"]) == ("unauthorized_client", [700016])


def test_app_tokens_carry_no_roles_before_admin_consent(simulator):
    sign_in(simulator, people.SERVICE_ACCOUNT)

    claims = claims_of(simulator.app_only().json()["access_token"])

    assert "roles" not in claims
    assert claims["idtyp"] == "app"


def test_app_tokens_carry_the_consented_roles(simulator):
    simulator.control("consent", roles=["User.Read.All"])

    claims = claims_of(simulator.app_only().json()["access_token"])

    assert (claims["roles"], claims["tid"], claims["appid"]) == (["User.Read.All"], CONTOSO_ID, CLIENT_ID)


def test_a_fault_delays_the_roles(simulator):
    simulator.control("consent")
    simulator.control("fault", kind="no_roles", count=1)

    first, second = (claims_of(simulator.app_only().json()["access_token"]) for _ in range(2))

    assert "roles" not in first
    assert second["roles"] == ["OnlineMeetings.ReadWrite.All", "User.Read.All"]


def test_app_tokens_need_the_default_scope(simulator):
    simulator.control("consent")

    assert simulator.app_only(scope="https://graph.microsoft.com/User.Read.All").json()["error_codes"] == [1002012]


def test_app_tokens_need_a_tenant(simulator):
    assert simulator.app_only("organizations").json()["error_codes"] == [50059]


def make_certificate() -> tuple[str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coconut")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key


@pytest.mark.parametrize(("registered", "status"), [(True, 200), (False, 401)])
def test_a_registered_certificate_replaces_the_secret(simulator, registered, status):
    simulator.control("consent")
    certificate, key = make_certificate()
    if registered:
        simulator.control("registration", certificate=certificate)
    audience = f"https://login.microsoftonline.com/{CONTOSO_ID}/oauth2/v2.0/token"
    claims = {"aud": audience, "iss": CLIENT_ID, "sub": CLIENT_ID, "exp": time.time() + 600}

    response = simulator.app_only(client_secret="", client_assertion=jwt.encode(claims, key, "PS256"))

    assert response.status_code == status

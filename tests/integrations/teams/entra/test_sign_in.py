"""Responses of Microsoft's token endpoint, and the errors made of them."""

from __future__ import annotations

import json
import logging
from urllib.parse import parse_qs

import pytest
import requests
import time_machine
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificate
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in
from integrations.teams.entra.token_responses import DELEGATED_PERMISSIONS, Tokens, scopes
from tests.factories import TENANT_ID
from tests.integrations.teams.entra.token_endpoint import ISSUED, SCOPE, TOKEN_ENDPOINT, refusal
from tests.outbox import send_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_emails_sent_yet(servers):
    cache.clear()


def refused(entra, error: str, number: int, status: int = 400) -> PlatformError:
    entra.post(TOKEN_ENDPOINT, json=refusal(error, number), status=status)
    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")
    return caught.value


# --- Issued ---------------------------------------------------------------------------------------------


def test_a_refresh_sends_the_same_scopes_as_the_sign_in(entra):
    entra.post(TOKEN_ENDPOINT, json=ISSUED)

    sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    form = parse_qs(entra.calls[-1].request.body)
    assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["the-refresh-token"])
    assert sorted(form["scope"][0].split()) == sorted([*SCOPE.split(), "offline_access", "openid", "profile"])


def test_issued_tokens_are_read(entra):
    entra.post(TOKEN_ENDPOINT, json=ISSUED)

    with time_machine.travel(1_800_000_000, tick=False):
        tokens = sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert tokens == Tokens("new-access-token", 1_800_003_599, "new-refresh-token", DELEGATED_PERMISSIONS)


def test_a_refresh_token_that_is_not_rotated_is_kept(entra):
    entra.post(TOKEN_ENDPOINT, json={name: ISSUED[name] for name in ISSUED if name != "refresh_token"})

    tokens = sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert tokens.refresh_token == "the-refresh-token"


def test_scopes_contain_the_graph_host_of_the_cloud(settings):
    settings.MICROSOFT_CLOUD = "dod"

    assert scopes()[0] == "https://dod-graph.microsoft.us/User.Read"


def test_a_refusal_is_not_replayed_to_the_next_attempt(entra):
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_client", 7000222), status=400)
    entra.post(TOKEN_ENDPOINT, json=ISSUED)
    with pytest.raises(PlatformError):
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert sign_in.refresh_tokens(TENANT_ID, "the-refresh-token").access_token == "new-access-token"


# --- Refused --------------------------------------------------------------------------------------------


def test_microsofts_own_text_is_never_shown(entra):
    problem = refused(entra, "invalid_grant", 50173)

    assert ("In Microsoft's words" in str(problem), problem.request_id) == (False, "a-trace")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_an_outage(entra, status):
    entra.post(TOKEN_ENDPOINT, body="<html>", status=status)

    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert caught.value.kind == ErrorKind.OUTAGE


@pytest.mark.parametrize("body", [requests.ReadTimeout(), requests.ConnectionError(), "<html>"])
def test_an_unusable_response_is_an_outage(entra, body):
    entra.post(TOKEN_ENDPOINT, body=body)

    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    assert caught.value.kind == ErrorKind.OUTAGE


# --- The operators --------------------------------------------------------------------------------------


def test_operators_get_one_email_for_many_refusals(entra, mailoutbox):
    refused(entra, "invalid_client", 7000222, status=401)
    refused(entra, "invalid_client", 7000222, status=401)
    send_all()

    (mail,) = mailoutbox
    assert mail.to == ["olive@operator.example"]
    assert mail.body.startswith("Microsoft answered AADSTS7000222 to the app registration")


def test_another_error_sends_another_email(entra, mailoutbox):
    refused(entra, "invalid_client", 7000215, status=401)
    entra.replace("POST", TOKEN_ENDPOINT, json=refusal("invalid_client", 7000222), status=401)
    with pytest.raises(PlatformError):
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    send_all()
    assert len(mailoutbox) == 2


def test_without_a_cache_the_refusal_is_the_same(entra, mailoutbox, monkeypatch):
    def unavailable(*args, **kwargs):
        raise RedisConnectionError

    monkeypatch.setattr(cache, "add", unavailable)

    assert refused(entra, "invalid_client", 7000222, status=401).kind == ErrorKind.OPERATOR
    send_all()
    assert mailoutbox == []


def test_a_refusal_for_the_admin_sends_no_email_to_operators(entra, mailoutbox):
    refused(entra, "invalid_grant", 50173)
    send_all()

    assert mailoutbox == []


# --- The certificate ------------------------------------------------------------------------------------


def pfx(certificate):
    """Write the key and the certificate as a PFX file."""
    content = certificate.path.read_bytes()
    path = certificate.path.with_suffix(".pfx")
    key = load_pem_private_key(content, None)
    assert isinstance(key, RSAPrivateKey)
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"coconut", key, load_pem_x509_certificate(content), None, NoEncryption())
    )
    return path


@pytest.mark.parametrize("as_file", [lambda certificate: certificate.path, pfx], ids=["pem", "pfx"])
def test_a_certificate_replaces_the_secret(entra, settings, certificate, as_file):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(as_file(certificate))
    entra.post(TOKEN_ENDPOINT, json=ISSUED)

    sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    form = parse_qs(entra.calls[-1].request.body)
    assert "client_secret" not in form
    assert form["client_assertion"][0].count(".") == 2


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_an_unusable_certificate_is_for_the_operator_to_fix(entra, settings, tmp_path, mailoutbox, content):
    path = tmp_path / "microsoft.pem"
    if content is not None:
        path.write_bytes(content)
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(path)

    with pytest.raises(PlatformError) as caught:
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    send_all()
    assert (caught.value.kind, len(mailoutbox)) == (ErrorKind.OPERATOR, 1)


# --- Secrets --------------------------------------------------------------------------------------------


def test_no_token_or_secret_is_logged(entra, caplog, settings):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("msal").setLevel(logging.INFO)  # as in the settings
    entra.post(TOKEN_ENDPOINT, json=ISSUED)
    entra.post(TOKEN_ENDPOINT, json=refusal("invalid_client", 7000215), status=401)

    sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")
    with pytest.raises(PlatformError):
        sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")

    secrets = ["the-refresh-token", "new-access-token", "new-refresh-token", settings.MICROSOFT_CLIENT_SECRET]
    logged = json.dumps([record.getMessage() for record in caplog.records])
    assert [secret for secret in secrets if secret in logged] == []

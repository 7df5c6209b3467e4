"""Property: any query and any names lead an admin back to a page, with or without a connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

import tests.hypothesis_profiles  # noqa: F401 - loads the profile
from integrations.teams.connect.runs import start_run
from integrations.teams.connect.session import PendingSignIn, Step, WizardAnswers, keep_pending_sign_in
from integrations.teams.models import TeamsConnection
from tests.factories import SERVICE_ACCOUNT_ID, TENANT_ID
from tests.integrations.teams.entra.id_tokens import claims, published_keys, signed
from tests.integrations.teams.entra.token_endpoint import GRAPH, ISSUED, KEYS, TOKEN_ENDPOINT, microsoft, pending_flow
from tests.integrations.teams.oauth_steps import CALLBACK, shown_messages

pytestmark = pytest.mark.usefixtures("servers")

NAMES = ("error", "error_description", "error_subcode", "admin_consent", "tenant", "code", "client_info", "iss")
TEXTS = st.text() | st.sampled_from(
    ["access_denied", "AADSTS53003: x", f"AADSTS{'9' * 5000}", "\x00", "True", TENANT_ID]
)
DISPLAYED = st.one_of(st.none(), st.integers(), st.text(), st.sampled_from(["\x00", "\ud800", "x" * 2000, ["a"]]))


@pytest.fixture
def browser(ada, settings) -> Client:
    settings.BASE_URL = "http://localhost:8000"
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ada)
    return client


@contextmanager
def tokens_of(flow: dict[str, Any], profile: dict[str, Any], tenant: dict[str, Any], **names: Any) -> Iterator[None]:
    """Serve tokens whose id token belongs to the flow, the account's profile and its tenant."""
    nonce = sha256(str(flow["nonce"]).encode()).hexdigest()
    with microsoft() as mock:
        mock.post(TOKEN_ENDPOINT, json={**ISSUED, "id_token": signed(claims(nonce=nonce, **names))})
        mock.get(KEYS, json=published_keys())
        mock.get(f"{GRAPH}/v1.0/me", json={"id": SERVICE_ACCOUNT_ID, **profile})
        mock.get(f"{GRAPH}/v1.0/organization", json={"value": [tenant]})
        yield


def start(browser: Client, step: Step) -> dict[str, Any]:
    """Store a pending sign-in, and return its flow."""
    with microsoft():
        flow = pending_flow()
    session = browser.session
    answers = WizardAnswers(TENANT_ID, "")
    pending = PendingSignIn(step, answers, start_run(session), "https://login.microsoftonline.com/", flow)
    keep_pending_sign_in(session, flow["state"], pending)
    session.save()
    return flow


@pytest.mark.parametrize("step", list(Step))
@given(query=st.dictionaries(st.sampled_from(NAMES), TEXTS))
@example(query={"code": "a-code"})
@example(query={"admin_consent": "True", "tenant": TENANT_ID})
def test_any_query_leads_back_to_a_page(browser, step, query):
    flow = start(browser, step)

    with tokens_of(flow, {}, {}):
        response = browser.get(CALLBACK, {**query, "state": flow["state"]})

    assert response.status_code == 302
    assert shown_messages(browser) or response.headers["Location"].startswith("https://login.microsoftonline.com/")


@given(account=DISPLAYED, name=DISPLAYED, tenant_name=DISPLAYED)
@example(account="x" * 2000, name="\x00\ud800", tenant_name="x" * 2000)
def test_an_account_with_any_names_is_connected(browser, account, name, tenant_name):
    with transaction.atomic():
        flow = start(browser, Step.SIGN_IN)
        profile = {"userPrincipalName": account, "displayName": name}

        with tokens_of(flow, profile, {"displayName": tenant_name}, name=name, preferred_username=account):
            browser.get(CALLBACK, {"code": "a-code", "state": flow["state"]})

        assert TeamsConnection.objects.get().account_oid == SERVICE_ACCOUNT_ID
        # The next example connects again.
        transaction.set_rollback(True)

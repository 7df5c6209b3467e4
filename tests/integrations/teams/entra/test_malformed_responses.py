"""Any JSON, any bytes and any status from Entra give a PlatformError or a TenantProblem, and no other exception."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import responses
from hypothesis import example, given
from hypothesis import strategies as st

import tests.hypothesis_profiles  # noqa: F401 - loads the profile
from integrations.platforms.values import PlatformError
from integrations.teams.connect.verification import require_consent
from integrations.teams.entra import sign_in
from integrations.teams.entra.errors import callback_error
from integrations.teams.entra.id_token import verify_id_token
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.graph.me import read_account, read_tenant_name
from tests.factories import TENANT_ID
from tests.integrations.teams.entra.id_tokens import FLOW, TENANT, claims, published_keys, signed
from tests.integrations.teams.entra.token_endpoint import (
    DISCOVERY,
    DOCUMENT,
    GRAPH,
    ISSUED,
    KEYS,
    TOKEN_ENDPOINT,
    microsoft,
    pending_flow,
    refusal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servers", "no_garbage_collection")]

STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 307, 400, 401, 403, 404, 429, 500, 503])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["", "\x00", "\ud800", "https://[", "https://login.example/", "1e999", "-1", 10**400]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
DEEP = "[" * 100_000


def bodies(*documents: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Draw any bytes, any JSON, and documents in which some fields have other values or are missing."""
    changed = [_changed(document) for document in documents]
    return st.one_of(st.binary(max_size=200), VALUES.map(_as_bytes), *(each.map(_as_bytes) for each in changed))


def _changed(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(sorted(document))
    removed = st.sets(names, max_size=2)
    replaced = st.dictionaries(names, VALUES, min_size=1, max_size=3)
    return st.builds(
        lambda gone, new: {key: value for key, value in document.items() if key not in gone} | new, removed, replaced
    )


def _as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def segment(payload: Any) -> str:
    """Return base64url JSON, as in tokens and `client_info`."""
    return base64.urlsafe_b64encode(_as_bytes(payload)).decode().rstrip("=")


def outcome_of(ask: Callable[[], object]) -> object:
    """Return what the request returns, or the error that callers handle. Other exceptions fail the test."""
    try:
        return ask()
    except (PlatformError, TenantProblem) as problem:
        return problem


def refresh() -> object:
    return sign_in.refresh_tokens(TENANT_ID, "the-refresh-token")


def app_token() -> object:
    return sign_in.acquire_app_token(TENANT_ID)


def code() -> object:
    flow = pending_flow()
    return sign_in.redeem_code(TENANT_ID, flow, {"state": flow["state"], "code": "a-code"})


REQUESTS = pytest.mark.parametrize("request_token", [refresh, app_token, code])
WITH_ID_TOKEN = {**ISSUED, "id_token": "a.b.c", "client_info": "e30", "refresh_in": 1, "ext_expires_in": 1}


@REQUESTS
@given(status=STATUSES, body=bodies(WITH_ID_TOKEN, refusal("invalid_grant", 50076)))
@example(status=200, body=b"[]")
@example(status=200, body=b"null")
@example(status=200, body=DEEP.encode())
@example(status=400, body=b"[]")
@example(status=400, body=b'{"error": ["invalid_grant"], "error_codes": [[]]}')
@example(status=307, body=b"{}")
@example(status=200, body=b'{"access_token": null}')
@example(status=200, body=b'{"access_token": "a\\nb", "refresh_token": "b"}')
@example(status=200, body=b'{"access_token": "a", "refresh_token": "b", "expires_in": NaN}')
@example(status=200, body=b'{"access_token": "a", "refresh_token": "b", "expires_in": Infinity}')
def test_any_response_of_the_token_endpoint_is_handled(request_token, status, body):
    with microsoft() as entra:
        entra.post(TOKEN_ENDPOINT, status=status, body=body, headers={"Location": "https://login.example/"})
        assert str(outcome_of(request_token))


@REQUESTS
@given(payload=VALUES, client_info=VALUES)
@example(payload=[], client_info={})
@example(payload={}, client_info=[])
@example(payload={"exp": float("inf"), "nonce": 1}, client_info={"uid": [], "utid": {}})
def test_any_content_of_the_tokens_is_handled(request_token, payload, client_info):
    token = f"{segment({'alg': 'none'})}.{segment(payload)}.{segment('')}"
    body = {**ISSUED, "access_token": token, "id_token": token, "client_info": segment(client_info)}
    with microsoft() as entra:
        entra.post(TOKEN_ENDPOINT, body=_as_bytes(body))
        assert str(outcome_of(request_token))


@given(status=STATUSES, body=bodies(DOCUMENT, refusal("invalid_tenant", 90002)))
@example(status=200, body=DEEP.encode())
@example(status=200, body=_as_bytes({**DOCUMENT, "authorization_endpoint": "https://["}))
@example(status=200, body=_as_bytes({**DOCUMENT, "jwks_uri": "http://login.example/"}))
@example(status=400, body=b'{"error": {}, "error_codes": "90002"}')
def test_any_discovery_document_is_handled(status, body):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as entra:
        for name in (TENANT_ID, "organizations"):
            entra.get(DISCOVERY.replace(TENANT_ID, name), status=status, body=body)
        entra.post(TOKEN_ENDPOINT, json=ISSUED)
        assert str(outcome_of(lambda: resolve_tenant(TENANT_ID)))
        assert str(outcome_of(refresh))
        assert str(outcome_of(lambda: sign_in.start_sign_in(TENANT_ID, "https://coconut.example/")))


@given(status=STATUSES, body=bodies(published_keys()), key=_changed(published_keys()["keys"][0]))
@example(status=200, body=b'{"keys": [1, {"kid": "a-key"}]}', key={})
@example(status=200, body=DEEP.encode(), key={"kid": "a-key", "kty": "oct", "k": "AA"})
def test_any_keys_are_handled(status, body, key):
    for served in (body, _as_bytes({"keys": [key]})):
        with responses.RequestsMock() as entra:
            entra.get(KEYS, status=status, body=served)
            assert str(outcome_of(lambda: verify_id_token(signed({"aud": "x"}), TENANT, FLOW)))


@given(payload=st.one_of(VALUES, st.builds(dict)), header=VALUES, changed=st.data())
def test_any_id_token_is_handled(payload, header, changed):
    forged = f"{segment(header)}.{segment(payload)}.{segment('')}"
    authentic = changed.draw(_changed(claims()))
    with responses.RequestsMock() as entra:
        entra.get(KEYS, json=published_keys())
        assert str(outcome_of(lambda: verify_id_token(forged, TENANT, FLOW)))
        assert str(outcome_of(lambda: verify_id_token(_signed_or_forged(authentic), TENANT, FLOW)))


def _signed_or_forged(payload: dict[str, Any]) -> str:
    try:
        return signed(payload)
    except TypeError:
        # PyJWT refuses to sign some claims of the wrong type.
        return f"{segment({'alg': 'RS256', 'kid': 'a-key'})}.{segment(payload)}.{segment('')}"


@given(token=st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_for_an_id_token_is_handled(token):
    with responses.RequestsMock() as entra:
        entra.get(KEYS, json=published_keys())
        assert str(outcome_of(lambda: verify_id_token(token, TENANT, FLOW)))


@given(
    query=st.dictionaries(
        st.sampled_from(["error", "error_description", "error_codes", "admin_consent", "tenant", "code", "state"]),
        st.text() | st.sampled_from(["access_denied", "AADSTS53003", f"AADSTS{'9' * 5000}", "\x00", "True"]),
    )
)
def test_any_query_of_a_callback_is_handled(query):
    assert str(callback_error(query))
    assert str(outcome_of(lambda: require_consent(TENANT_ID, query)))
    with microsoft() as entra:
        entra.post(TOKEN_ENDPOINT, json=ISSUED)
        flow = pending_flow()
        for state in (flow["state"], query.get("state", "")):
            assert str(outcome_of(partial(sign_in.redeem_code, TENANT_ID, flow, {**query, "state": state})))


@given(
    status=STATUSES, body=bodies({"id": "an-id", "userPrincipalName": "a@b.example", "value": [{"displayName": "A"}]})
)
@example(status=200, body=DEEP.encode())
def test_any_profile_is_handled(status, body):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as graph:
        graph.get(f"{GRAPH}/v1.0/me", status=status, body=body)
        graph.get(f"{GRAPH}/v1.0/organization", status=status, body=body)
        assert str(outcome_of(lambda: read_account("a-token")))
        assert "\x00" not in read_tenant_name("a-token")


def test_a_redirect_of_the_token_endpoint_is_not_followed():
    with microsoft() as entra:
        entra.post(TOKEN_ENDPOINT, status=307, json={}, headers={"Location": "https://elsewhere.example/"})
        assert str(outcome_of(refresh))

        assert [call.request.url for call in entra.calls][1:] == [TOKEN_ENDPOINT]

"""Resolution of typed tenant IDs and domains."""

from __future__ import annotations

import pytest
import requests
import responses

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant, sign_in_origin
from tests.factories import TENANT_ID

ENTRA = "https://login.microsoftonline.com"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


def document(tenant_id: str = TENANT_ID, **changes: object) -> dict[str, object]:
    return {
        "issuer": f"{ENTRA}/{tenant_id}/v2.0",
        "authorization_endpoint": f"{ENTRA}/{tenant_id}/oauth2/v2.0/authorize",
        "token_endpoint": f"{ENTRA}/{tenant_id}/oauth2/v2.0/token",
        "jwks_uri": f"{ENTRA}/{tenant_id}/discovery/v2.0/keys",
        "msgraph_host": "graph.microsoft.com",
        **changes,
    }


@pytest.fixture
def entra():
    with responses.RequestsMock() as mock:
        yield mock


def discovery(name: str) -> str:
    return f"{ENTRA}/{name}/v2.0/.well-known/openid-configuration"


def problem_with(typed: str) -> str:
    with pytest.raises(TenantProblem) as caught:
        resolve_tenant(typed)
    return str(caught.value)


@pytest.mark.parametrize("typed", [TENANT_ID, f"  {TENANT_ID.upper()} ", f"{{{TENANT_ID}}}"])
def test_a_guid_is_read_with_braces_spaces_and_capitals(entra, typed):
    entra.get(discovery(TENANT_ID), json=document())

    tenant = resolve_tenant(typed)

    assert (tenant.id, tenant.domain) == (TENANT_ID, "")


def test_a_domain_leads_to_the_guid(entra):
    entra.get(discovery("contoso.example"), json=document())

    tenant = resolve_tenant("Contoso.example")

    assert (tenant.id, tenant.domain) == (TENANT_ID, "contoso.example")


@pytest.mark.parametrize(
    ("typed", "word"), [("common", "common"), (" Organizations ", "organizations"), ("consumers", "consumers")]
)
def test_a_word_for_any_tenant_is_refused_without_a_call(typed, word):
    assert problem_with(typed) == (
        f"“{word}” means any Microsoft tenant, so it cannot be connected. Enter the tenant ID, or a domain of your "
        "organisation (such as contoso.com)."
    )


def test_personal_accounts_are_refused_without_a_call():
    assert problem_with(PERSONAL) == (
        "Personal Microsoft accounts cannot be connected. Enter the tenant ID of your organisation's Microsoft 365."
    )


def test_a_domain_of_personal_accounts_is_refused(entra):
    entra.get(discovery("live.example"), json=document(PERSONAL))

    assert problem_with("live.example").startswith("Personal Microsoft accounts cannot be connected.")


def test_an_email_address_is_refused_without_a_call():
    assert problem_with("ada@contoso.example") == (
        "That is an email address. Enter the tenant ID, or only the part behind the @ sign."
    )


@pytest.mark.parametrize(
    "typed",
    ["contoso", "12345", TENANT_ID[:-1], "contoso .example", "../common", "a.b/c", "contoso.example?x=1"],
)
def test_other_input_is_refused_without_a_call(typed):
    assert problem_with(typed).startswith("That is neither a tenant ID")


def test_a_typing_mistake_is_named(entra):
    entra.get(discovery("contosso.example"), json={"error": "invalid_tenant", "error_codes": [90002]}, status=400)

    assert problem_with("contosso.example").startswith("Microsoft knows no tenant “contosso.example”.")


@pytest.mark.parametrize("number", [90038, 900382, 900432])
def test_an_error_that_names_another_cloud_is_refused(entra, number):
    entra.get(discovery("agency.example"), json={"error": "invalid_request", "error_codes": [number]}, status=400)

    assert problem_with("agency.example").startswith("This tenant lives in another Microsoft cloud")


@pytest.mark.parametrize(
    ("number", "beginning"),
    [
        (5000225, "Microsoft blocked your tenant, for example because it was not used."),
        (500021, "A tenant restriction or a cross-tenant access rule of Microsoft Entra stops this sign-in."),
    ],
)
def test_trouble_of_the_tenant_is_named_with_its_number(entra, number, beginning):
    entra.get(discovery(TENANT_ID), json={"error": "invalid_request", "error_codes": [number]}, status=400)

    problem = problem_with(TENANT_ID)

    assert problem.startswith(beginning)
    assert problem.endswith(f" Microsoft's error code: AADSTS{number}.")


def test_discovery_that_names_another_cloud_is_refused(entra):
    entra.get(discovery("agency.example"), json=document(msgraph_host="graph.microsoft.us"))

    assert problem_with("agency.example").startswith("This tenant lives in another Microsoft cloud")


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 503},
        {"status": 403, "json": {"message": "A proxy refused this."}},
        {"status": 400, "json": {"error": "invalid_request", "error_codes": [90033]}},
        {"body": requests.ConnectTimeout()},
        {"body": "<html>A proxy's page</html>"},
        {"json": ["not", "discovery"]},
        {"json": {"issuer": "https://portal.example"}},
        {"json": document(jwks_uri="http://portal.example/keys")},
        {"json": document(authorization_endpoint="https://[")},
    ],
    ids=str,
)
def test_an_unusable_response_is_an_outage(entra, answer):
    entra.get(discovery(TENANT_ID), **answer)

    with pytest.raises(PlatformError) as caught:
        resolve_tenant(TENANT_ID)

    assert caught.value.kind == ErrorKind.OUTAGE


def test_the_sign_in_origin_comes_from_discovery(entra):
    endpoint = "http://localhost:9000/organizations/oauth2/v2.0/authorize"
    entra.get(discovery("organizations"), json=document(authorization_endpoint=endpoint))

    assert sign_in_origin() == "http://localhost:9000"


def test_the_sign_in_origin_is_microsofts_during_an_outage(entra):
    entra.get(discovery("organizations"), status=503)

    assert sign_in_origin() == ENTRA

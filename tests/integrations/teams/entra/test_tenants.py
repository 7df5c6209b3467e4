"""Resolution of typed tenant IDs and domains."""

from __future__ import annotations

import re

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.tenant_names import find_tenant_name
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from tests import hypothesis_profiles  # noqa: F401 - sets the profile
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


@pytest.mark.parametrize(
    "pasted",
    [
        f"\u200b{TENANT_ID}",
        f"{TENANT_ID}\ufeff",
        f"\u200e{TENANT_ID}\u200f",
        f"{TENANT_ID[:9]}\u2060{TENANT_ID[9:]}",
        f"\u00a0{TENANT_ID}\u00a0",
        f'"{TENANT_ID}"',
        f"‘{TENANT_ID}’",
        f"{{ {TENANT_ID} }}",
        f"“{{{TENANT_ID}}}”,",
        TENANT_ID.replace("-", "\u2010"),
        TENANT_ID.replace("-", "\u2011"),
        TENANT_ID.replace("-", "\u2013"),
        TENANT_ID.replace("-", ""),
        f"{TENANT_ID}.",
        f"Tenant ID: {TENANT_ID}",
        f"{ENTRA}/{TENANT_ID}/v2.0",
        f"login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token",
        f"https://portal.azure.com/#view/Microsoft_AAD_IAM/ActiveDirectoryMenuBlade/~/Overview/tenantId/{TENANT_ID}",
        f"https://portal.azure.com/?appId=00000000-0000-4000-8000-000000000001&tenantId={TENANT_ID}",
        f"https%3A%2F%2Flogin.microsoftonline.com%2F{TENANT_ID}",
    ],
)
def test_a_pasted_guid_is_found(entra, pasted):
    entra.get(discovery(TENANT_ID), json=document())

    tenant = resolve_tenant(pasted)

    assert (tenant.id, tenant.domain) == (TENANT_ID, "")


@pytest.mark.parametrize(
    ("pasted", "domain"),
    [
        ("contoso.example.", "contoso.example"),
        ("\u200bcontoso.example", "contoso.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("https://contoso.example/", "contoso.example"),
        (f"{ENTRA}/Contoso.example/v2.0", "contoso.example"),
        ("https://portal.azure.com/#@contoso.example/resource/subscriptions", "contoso.example"),
    ],
)
def test_a_pasted_domain_is_found(entra, pasted, domain):
    entra.get(discovery(domain), json=document())

    assert resolve_tenant(pasted).domain == domain


@pytest.mark.parametrize(
    ("typed", "character"),
    [
        ("contoso’s.example", "“’”"),
        ("contoso_bank.example", "“_”"),
        ("contoso .example", "U+0020"),
        ("contoso\x07.example", "U+0007"),
        ("https://contoso.example/about", "“:”"),
        (f"{TENANT_ID} 00000000-0000-4000-8000-000000000001", "U+0020"),
    ],
)
def test_a_character_that_no_tenant_has_is_named(typed, character):
    assert f"neither can contain {character}. Enter only the tenant ID." in problem_with(typed)


def test_an_email_address_with_a_guid_is_still_an_email_address():
    assert problem_with(f"{TENANT_ID}@contoso.example").startswith("That is an email address.")


INVISIBLE = st.text("\u200b\u200e\u200f\u2060\ufeff\u00ad\u3164\u00a0 ", max_size=3)
WRAPPERS = st.sampled_from(["{}", '"{}"', "“{}”", "{{{}}}", "<{}>", "({})", "{}.", "{},"])
HYPHENS = st.sampled_from(["-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212"])


@given(guid=st.uuids(), before=INVISIBLE, after=INVISIBLE, wrapper=WRAPPERS, hyphen=HYPHENS, is_upper=st.booleans())
def test_a_guid_is_found_however_it_was_copied(guid, before, after, wrapper, hyphen, is_upper):
    text = str(guid).upper() if is_upper else str(guid)

    pasted = before + wrapper.format(before + text.replace("-", hyphen) + after) + after

    assert find_tenant_name(pasted) == str(guid)


@given(st.text(max_size=60))
def test_any_text_is_a_tenant_name_or_is_refused_with_a_sentence(text):
    name = find_tenant_name(text)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(
            re.compile(rf"{re.escape(ENTRA)}/[a-z0-9.-]+/v2\.0/\.well-known/openid-configuration"), json=document()
        )
        try:
            resolve_tenant(text)
        except TenantProblem as problem:
            sentence = str(problem)
        else:
            sentence = ""
    assert sentence.endswith(".") or name.isascii()

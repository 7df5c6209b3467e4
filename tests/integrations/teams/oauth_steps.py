"""Steps of an admin's browser through the connect wizard, the simulated Microsoft and back."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from integrations.models import Connection
from simulator import people
from simulator.people import CONTOSO_ID
from tests.simulator.client import Browser, Simulator

POLICY_PAGE = "/settings/video-calls/new/teams/policy/"
UPN_PAGE = "/settings/video-calls/new/teams/"
TENANT_PAGE = "/settings/video-calls/new/teams/tenant/"
CALLBACK = "/settings/video-calls/teams/callback/"
WAITING_PAGE = "/settings/video-calls/teams/waiting/"
TRY_AGAIN = "Nothing was connected. Your answers are still here: continue to try again."


def start_service_account(browser: Client, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer the questions of the Service Account method. Return the address at Microsoft."""
    return answer_last_questions(browser, UPN_PAGE, tenant, match_field)


def start_access_policy(browser: Client, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer the questions of the Application Access Policy method. Return the address at Microsoft."""
    upn_page = next_page(browser.post(POLICY_PAGE, {"acknowledged": "on"}))
    return answer_last_questions(browser, upn_page, tenant, match_field)


def answer_last_questions(browser: Client, upn_page: str, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer the questions that both methods have. Return the address at Microsoft."""
    tenant_page = next_page(browser.post(upn_page, {"match_field": match_field}))
    return microsoft_address(browser.post(tenant_page, {"tenant": tenant}))


def next_page(response: Any) -> str:
    """Return the page to which a POST leads."""
    assert response.status_code == 303, response.content.decode()
    return str(response.headers["Location"])


def microsoft_address(response: Any) -> str:
    """Return the address at Microsoft that the page after a POST opens."""
    return opened_address(response.client.get(next_page(response)))


def opened_address(page: Any) -> str:
    """Return the address that a page opens without a click."""
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', page.content.decode())
    assert found is not None, page.content.decode()
    return unescape(found[1])


def latest_run(browser: Client) -> str:
    """Return the id of the run that was used last."""
    return str(list(browser.session["teams_runs"])[-1])


def is_tenant_page(response: Any) -> bool:
    """Return whether the response leads to the last question of a run."""
    return str(response.headers["Location"]).startswith(f"{TENANT_PAGE}?run=")


def sign_in(simulator: Simulator, address: str, upn: str = people.SERVICE_ACCOUNT, decision: str = "accept") -> str:
    """Pick an account in a new browser at Microsoft and decide. Return the address that Microsoft redirects to."""
    return accept(simulator.browser(), address, upn, decision)


def accept(microsoft: Browser, address: str, upn: str = people.GLOBAL_ADMIN, decision: str = "accept") -> str:
    """Pick an account at Microsoft if it asks, and decide. Return the address that Microsoft redirects to."""
    microsoft.open(address)
    if not microsoft.is_back:
        microsoft.pick(upn)
    if not microsoft.is_back:
        microsoft.submit(decision=decision)
    assert microsoft.is_back, microsoft.page.text
    return str(microsoft.page.headers["Location"])


def consent(browser: Client, simulator: Simulator, address: str, upn: str = people.GLOBAL_ADMIN) -> Any:
    """Consent and sign in as the administrator, in one browser at Microsoft. Return Coconut's last response."""
    microsoft = simulator.browser()
    identification = browser.get(accept(microsoft, address, upn)).headers["Location"]
    return browser.get(accept(microsoft, identification, upn))


def connect_service_account(browser: Client, simulator: Simulator, **answers: str) -> Any:
    """Connect by the Service Account method. Return Coconut's last response."""
    return browser.get(sign_in(simulator, start_service_account(browser, **answers)))


def connect_access_policy(browser: Client, simulator: Simulator, **answers: str) -> Any:
    """Connect by the Application Access Policy method. Return Coconut's last response."""
    return consent(browser, simulator, start_access_policy(browser, **answers))


def shown_messages(browser: Client, page: str = "/settings/") -> list[str]:
    """Return the messages that the next page shows."""
    return [str(message) for message in browser.get(page).context["messages"]]


def assert_back_with(browser: Client, response: Any, *sentences: str) -> None:
    """Assert a redirect to the tenant page with exactly these sentences, the answer kept and nothing stored."""
    assert is_tenant_page(response)
    page = browser.get(response.headers["Location"])
    assert [str(message) for message in page.context["messages"]] == [" ".join(sentences)]
    assert page.context["form"]["tenant"].value() == CONTOSO_ID
    assert not Connection.objects.exists()

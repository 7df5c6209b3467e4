"""The round trip to the simulated Microsoft, step by step."""

from __future__ import annotations

from django.test import Client

from integrations.models import Connection
from simulator import people
from simulator.people import CONTOSO_ID

FIRST = "/settings/video-calls/new/teams/"
SECOND = "/settings/video-calls/new/teams/tenant/"


def start(browser: Client, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer both questions; the address at Microsoft."""
    browser.post(FIRST, {"match_field": match_field})
    response = browser.post(SECOND, {"tenant": tenant})
    assert response.status_code == 303, response.content.decode()
    return str(response.headers["Location"])


def sign_in(simulator, address: str, upn: str = people.SERVICE_ACCOUNT, decision: str = "accept") -> str:
    """Pick an account at Microsoft and decide on the permissions; the address that Microsoft sends back to."""
    microsoft = simulator.browser()
    microsoft.open(address)
    microsoft.pick(upn)
    if not microsoft.is_back:
        microsoft.submit(decision=decision)
    assert microsoft.is_back, microsoft.page.text
    return str(microsoft.page.headers["Location"])


def connect(browser, simulator, **options):
    """The whole way; the page that it ends on."""
    return browser.get(sign_in(simulator, start(browser, **options)))


def told(browser) -> list[str]:
    """The messages that the next page shows."""
    response = browser.get(FIRST)
    return [str(message) for message in response.context["messages"]]


def assert_back_with(browser, response, *sentences):
    """Back on the tenant page with exactly this said and the answer kept, and nothing stored."""
    assert response.headers["Location"] == SECOND
    page = browser.get(SECOND)
    assert [str(message) for message in page.context["messages"]] == [" ".join(sentences)]
    assert page.context["form"]["tenant"].value() == CONTOSO_ID
    assert not Connection.objects.exists()


TRY_AGAIN = "Nothing was connected. Your answers are still here: continue to try again."

"""Trips to the simulated Microsoft and back, as an admin's browser makes them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from simulator import people
from simulator.people import CONTOSO_ID
from tests.simulator.client import Browser, Simulator

POLICY = "/settings/video-calls/new/teams/policy/"
FIRST = "/settings/video-calls/new/teams/"
SECOND = "/settings/video-calls/new/teams/tenant/"
CALLBACK = "/settings/video-calls/teams/callback/"
WAITING = "/settings/video-calls/teams/waiting/"


def start_with_policy(browser: Client, tenant: str = CONTOSO_ID, match_field: str = "email") -> str:
    """Answer the three questions of the Application Access Policy method; the address at Microsoft."""
    browser.post(POLICY, {"acknowledged": "on"})
    browser.post(FIRST, {"match_field": match_field})
    return leave(browser.post(SECOND, {"tenant": tenant}))


def leave(response: Any) -> str:
    """Where a page sends people to Microsoft."""
    assert response.status_code == 303, response.content.decode()
    return str(response.headers["Location"])


def accept(microsoft: Browser, address: str, upn: str = people.GLOBAL_ADMIN, decision: str = "accept") -> str:
    """Sign in at Microsoft's page and accept; the address that Microsoft sends back to."""
    microsoft.open(address)
    if not microsoft.is_back:
        microsoft.pick(upn)
    if not microsoft.is_back:
        microsoft.submit(decision=decision)
    assert microsoft.is_back, microsoft.page.text
    return str(microsoft.page.headers["Location"])


def consent(browser: Client, simulator: Simulator, address: str, upn: str = people.GLOBAL_ADMIN) -> Any:
    """Consent and prove it, in one browser at Microsoft; Coconut's last answer."""
    microsoft = simulator.browser()
    proof = browser.get(accept(microsoft, address, upn)).headers["Location"]
    return browser.get(accept(microsoft, proof, upn))


def connect_by_policy(browser: Client, simulator: Simulator, **answers: str) -> Any:
    """The whole way; Coconut's last answer."""
    return consent(browser, simulator, start_with_policy(browser, **answers))


def told(browser: Client) -> list[str]:
    """The messages that the next page shows."""
    return [str(message) for message in browser.get("/settings/").context["messages"]]

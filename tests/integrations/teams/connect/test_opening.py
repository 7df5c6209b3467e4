"""The page that opens Microsoft after Continue and Start Reauthorization."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.models import Connection
from simulator.people import CONTOSO_ID
from tests.integrations.teams.oauth_steps import (
    TENANT_PAGE,
    UPN_PAGE,
    connect_service_account,
    is_tenant_page,
    next_page,
    opened_address,
    shown_messages,
    sign_in,
    start_service_account,
)

OPENING = "/settings/video-calls/teams/opening/"


@pytest.fixture
def opening(ada_browser, simulator) -> str:
    """Address of the page, after Ada has answered the questions."""
    tenant_page = next_page(ada_browser.post(UPN_PAGE, {"match_field": "email"}))
    return next_page(ada_browser.post(tenant_page, {"tenant": CONTOSO_ID}))


def directives(response) -> list[str]:
    policy: str = response.headers["Content-Security-Policy"]
    return policy.split("; ")


def test_continue_leads_to_a_page_of_coconut(opening):
    assert opening.startswith(f"{OPENING}?run=")


def test_the_page_names_microsoft_and_has_a_link(ada_browser, opening, simulator):
    page = ada_browser.get(opening)

    text = page.content.decode()
    assert "<h1>Opening Microsoft …</h1>" in text
    assert f"{simulator.url.split('/')[2].split(':')[0]}" in text
    assert text.count(f'href="{opened_address(page).replace("&", "&amp;")}" rel="noreferrer"') == 1


def test_a_reload_offers_the_same_address_and_does_not_forward_again(ada_browser, opening):
    address = opened_address(ada_browser.get(opening)).replace("&", "&amp;")

    page = ada_browser.get(opening).content.decode()

    assert "<h1>Continue at Microsoft</h1>" in page
    assert f'href="{address}" rel="noreferrer"' in page
    assert "http-equiv" not in page


def test_continue_again_forwards_again(ada_browser, opening):
    ada_browser.get(opening)
    tenant_page = opening.replace(OPENING, TENANT_PAGE)

    again = next_page(ada_browser.post(tenant_page, {"tenant": CONTOSO_ID}))

    assert opened_address(ada_browser.get(again)).startswith("http")


def test_the_page_allows_forms_to_coconut_only(ada_browser, opening):
    assert "form-action 'self'" in directives(ada_browser.get(opening))


def test_the_page_sends_no_referrer_and_is_not_stored(ada_browser, opening):
    headers = ada_browser.get(opening).headers

    assert headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize("name", ["url", "address", "next", "run"])
def test_the_address_of_the_page_cannot_choose_where_it_leads(ada_browser, opening, name):
    response = ada_browser.get(f"{OPENING}?{name}=https://evil.example/")

    assert (response.status_code, "evil.example" in response.headers["Location"]) == (302, False)


def test_a_sign_in_of_another_session_is_not_opened(otto_browser, opening):
    response = otto_browser.get(opening)

    assert response.headers["Location"] == "/settings/video-calls/"


def test_after_a_quarter_of_an_hour_the_page_leads_back_to_the_question(ada_browser, opening):
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        response = ada_browser.get(opening)

    assert is_tenant_page(response)
    assert shown_messages(ada_browser) == [
        "The sign-in at Microsoft took longer than 15 minutes, so it was not accepted. Start again with Continue."
    ]


def test_after_the_sign_in_the_page_opens_nothing(ada_browser, opening, simulator):
    ada_browser.get(sign_in(simulator, opened_address(ada_browser.get(opening))))

    response = ada_browser.get(opening)

    assert response.headers["Location"] == "/settings/video-calls/"
    assert Connection.objects.count() == 1


def test_an_expired_reauthorization_leads_back_to_its_form(ada_browser, simulator, only_connection):
    connect_service_account(ada_browser, simulator)
    form = f"/settings/video-calls/teams/{only_connection().pk}/reauthorize/"
    opening = next_page(ada_browser.post(form, {"tenant": CONTOSO_ID}))

    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        response = ada_browser.get(opening)

    assert response.headers["Location"] == form


def test_back_from_microsoft_and_continue_again_connects(ada_browser, simulator, only_connection):
    start_service_account(ada_browser)

    ada_browser.get(sign_in(simulator, start_service_account(ada_browser, match_field="username")))

    assert only_connection().match_field == "username"

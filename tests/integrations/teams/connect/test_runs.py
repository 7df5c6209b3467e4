"""Two tabs of the wizard or of Reauthorize, which don't change each other's answers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from integrations.models import Connection
from simulator import people
from simulator.people import CONTOSO_ID
from tests.factories import TEAMS_ADDONS, make_organization
from tests.integrations.teams.oauth_steps import (
    POLICY_PAGE,
    TENANT_PAGE,
    UPN_PAGE,
    accept,
    connect_access_policy,
    microsoft_address,
    next_page,
    shown_messages,
    sign_in,
    start_access_policy,
    start_service_account,
)

SERVICE_ACCOUNT = "/settings/video-calls/new/teams/service-account/"
CHANGED = "Your other answers have changed since this page was opened. Check them below, then continue."
EXPIRED = "Your answers on the last page are no longer stored. Please answer the questions again."


@pytest.fixture
def with_both_methods(maple) -> None:
    maple.addons = TEAMS_ADDONS
    maple.save()


def tenant_page(browser, match_field: str, upn_page: str = UPN_PAGE) -> str:
    """Open a tab, answer the question about the UPN, and return the address of the last question."""
    return next_page(browser.post(upn_page, {"match_field": match_field}))


def test_a_second_tab_does_not_change_the_match_field_of_the_first(ada_browser, simulator, only_connection):
    first = tenant_page(ada_browser, "username")
    tenant_page(ada_browser, "email")

    address = microsoft_address(ada_browser.post(first, {"tenant": CONTOSO_ID}))
    ada_browser.get(sign_in(simulator, address))

    assert only_connection().match_field == "username"


def test_a_second_tab_does_not_change_the_method_of_the_first(ada_browser, simulator, with_both_methods):
    upn_page = next_page(ada_browser.post(POLICY_PAGE, {"acknowledged": "on"}))
    first = tenant_page(ada_browser, "email", upn_page)
    tenant_page(ada_browser, "email", ada_browser.get(SERVICE_ACCOUNT).headers["Location"])

    address = microsoft_address(ada_browser.post(first, {"tenant": CONTOSO_ID}))

    assert urlsplit(address).path == f"/{CONTOSO_ID}/v2.0/adminconsent"


def test_a_second_tab_does_not_change_the_tenant_that_the_first_one_shows(ada_browser, simulator):
    first, second = tenant_page(ada_browser, "email"), tenant_page(ada_browser, "email")
    ada_browser.post(first, {"tenant": CONTOSO_ID})

    ada_browser.post(second, {"tenant": "nowhere.example"})

    assert ada_browser.get(first).context["form"]["tenant"].value() == CONTOSO_ID


def test_each_tab_returns_to_its_own_answers(ada_browser, simulator):
    first = start_service_account(ada_browser, match_field="username")
    start_service_account(ada_browser)

    returned = ada_browser.get(sign_in(simulator, first, decision="cancel"))

    page = ada_browser.get(returned.headers["Location"])
    assert page.context["match_field"] == "username"


def test_the_second_tab_goes_on_after_the_first_has_connected(ada_browser, simulator):
    second = tenant_page(ada_browser, "username")
    ada_browser.get(sign_in(simulator, start_service_account(ada_browser)))

    address = microsoft_address(ada_browser.post(second, {"tenant": CONTOSO_ID}))
    ada_browser.get(sign_in(simulator, address, upn=people.ORDINARY_USER))

    assert set(Connection.objects.values_list("match_field", flat=True)) == {"email", "username"}


def test_a_copy_of_the_tab_cannot_change_what_the_page_connects(ada_browser, simulator):
    page = tenant_page(ada_browser, "username")
    run = page.partition("?")[2]
    ada_browser.post(f"{UPN_PAGE}?{run}", {"match_field": "email"})

    shown = {"method": "service_account", "match_field": "username"}
    response = ada_browser.post(page, {"tenant": CONTOSO_ID, **shown})

    assert response.context["form"].non_field_errors() == [CHANGED]
    assert response.context["form"]["tenant"].value() == CONTOSO_ID
    assert "<dt>UPN</dt><dd>Email</dd>" in response.content.decode()


def test_an_add_on_that_is_switched_off_does_not_change_the_method_unseen(
    ada_browser, simulator, maple, with_both_methods
):
    upn_page = next_page(ada_browser.post(POLICY_PAGE, {"acknowledged": "on"}))
    page = tenant_page(ada_browser, "email", upn_page)
    maple.addons = ["teams"]
    maple.save()

    shown = {"method": "access_policy", "match_field": "email"}
    response = ada_browser.post(page, {"tenant": CONTOSO_ID, **shown})

    assert response.context["form"].non_field_errors() == [CHANGED]
    assert "<dt>Method</dt><dd>Service Account</dd>" in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", [UPN_PAGE, TENANT_PAGE])
def test_an_unknown_run_leads_to_the_first_question(ada_browser, simulator, page, method):
    response = getattr(ada_browser, method)(f"{page}?run=unknown", {"match_field": "email"} if method == "post" else {})

    assert response.headers["Location"] == POLICY_PAGE
    assert shown_messages(ada_browser, UPN_PAGE) == [EXPIRED]


def test_only_the_runs_that_were_used_last_are_kept(ada_browser, simulator):
    pages = [tenant_page(ada_browser, "email") for _ in range(6)]

    statuses = [ada_browser.get(page).status_code for page in pages]

    assert statuses == [302, 200, 200, 200, 200, 200]


def test_a_run_in_use_outlives_newer_ones(ada_browser, simulator):
    page = tenant_page(ada_browser, "email")
    for _ in range(4):
        tenant_page(ada_browser, "email")
    ada_browser.post(page, {"tenant": "nowhere.example"})

    tenant_page(ada_browser, "email")

    assert ada_browser.get(page).status_code == 200


def test_two_tabs_of_reauthorize_end_with_their_own_sign_in(ada_browser, simulator, only_connection):
    ada_browser.get(sign_in(simulator, start_service_account(ada_browser)))
    form = f"/settings/video-calls/teams/{only_connection().pk}/reauthorize/"
    first, second = (microsoft_address(ada_browser.post(form, {"tenant": CONTOSO_ID})) for _ in range(2))
    shown_messages(ada_browser)

    for address in (first, second):
        microsoft = simulator.browser()
        microsoft.open(address)
        microsoft.submit(loginfmt=people.SERVICE_ACCOUNT)
        ada_browser.get(microsoft.page.headers["Location"])

    assert shown_messages(ada_browser) == ["Microsoft Teams is reauthorized."] * 2


def test_a_consent_in_one_tab_does_not_replace_the_one_that_waits_in_another(
    ada_browser, simulator, with_both_methods, only_connection
):
    simulator.control("fault", kind="no_roles", count=2)
    first = connect_access_policy(ada_browser, simulator, match_field="username").headers["Location"]
    second = connect_access_policy(ada_browser, simulator, match_field="email").headers["Location"]

    connected = ada_browser.post(first)

    assert first != second
    assert connected.headers["Location"] == f"/settings/video-calls/{only_connection().pk}/"
    assert only_connection().match_field == "username"


def test_an_unused_consent_of_the_other_tab_stays_where_it_was(ada_browser, simulator, with_both_methods):
    other = start_access_policy(ada_browser, match_field="username")
    connect_access_policy(ada_browser, simulator)

    returned = ada_browser.get(accept(simulator.browser(), other))

    assert returned.status_code == 302
    assert Connection.objects.count() == 1


def test_another_organisations_run_is_unknown(ada_browser, otto_browser, simulator):
    page = tenant_page(ada_browser, "email")

    response = otto_browser.get(page)

    assert response.headers["Location"] == POLICY_PAGE


def test_the_form_without_a_run_starts_a_new_one(db, ada_browser, simulator):
    make_organization("Birch Bank")

    first, second = tenant_page(ada_browser, "email"), tenant_page(ada_browser, "email")

    assert first != second

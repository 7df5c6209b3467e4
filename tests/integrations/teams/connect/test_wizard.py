"""Pages of the connect wizard: access, content, and answers that are kept."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from integrations.models import Connection
from integrations.teams.models import TeamsConnection
from simulator.people import CONTOSO_ID
from tests.factories import TEAMS_ADDONS, TENANT_ID, make_connection, make_member, make_organization
from tests.integrations.teams.oauth_steps import microsoft_address, next_page

FIRST = "/settings/video-calls/new/teams/"
SECOND = "/settings/video-calls/new/teams/tenant/"
CALLBACK = "/settings/video-calls/teams/callback/"
OPENING = "/settings/video-calls/teams/opening/"
PAGES = [FIRST, SECOND]


def signed_in(member) -> Client:
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(member)
    return browser


# --- Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ["staff", "scheduler"])
def test_only_admins_see_the_wizard(maple, simulator, page, role):
    browser = signed_in(make_member(maple, "Sam Okafor", role))

    response = browser.get(page)

    assert response.status_code == 403
    assert "Only admins can open this page." in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", PAGES)
def test_the_wizard_needs_the_add_on(db, simulator, page, method):
    plain = make_organization("Birch Bank", addons=[])
    browser = signed_in(make_member(plain, "Bea Stone", "admin"))

    response = getattr(browser, method)(page)

    assert response.status_code == 403
    sentence = "Optional add-on. Please contact your Customer Success Team to get started."
    assert sentence in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_signs_in_first(db, simulator, page):
    response = Client(headers={"host": "localhost:8000"}).get(page)

    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("missing", ["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"])
def test_without_an_app_registration_the_page_says_so(ada_browser, simulator, settings, missing):
    setattr(settings, missing, "")

    response = ada_browser.get(FIRST)

    sentence = "Coconut's operator has not entered the app registration at Microsoft."
    assert sentence in unescape(response.content.decode())


@pytest.mark.parametrize("page", PAGES)
def test_under_another_host_the_wizard_leads_to_the_public_address(ada, simulator, page):
    browser = Client(headers={"host": "127.0.0.1:8000"})
    browser.force_login(ada)

    response = browser.get(page)

    assert response.headers["Location"] == f"http://localhost:8000{page}?from-another-host"


def test_a_proxy_that_hides_the_host_makes_no_endless_redirect(ada, simulator):
    browser = Client(headers={"host": "127.0.0.1:8000"})
    browser.force_login(ada)
    target = browser.get(FIRST).headers["Location"]

    assert browser.get(target).status_code == 200


def test_a_proxy_that_hides_the_host_lets_the_wizard_go_on(ada, simulator):
    browser = Client(headers={"host": "127.0.0.1:8000"})
    browser.force_login(ada)
    first = browser.get(FIRST).headers["Location"]

    second = browser.get(browser.post(first, {"match_field": "username"}).headers["Location"]).headers["Location"]

    assert browser.get(second).context["match_field"] == "username"


# --- First question -----------------------------------------------------------------------------------


def test_email_is_preselected(ada_browser, simulator):
    form = ada_browser.get(FIRST).context["form"]

    choices = [(radio.choice_label, radio.data["selected"]) for radio in form["match_field"]]
    assert choices == [("Email", True), ("Username", False)]


def test_the_example_is_the_admins_own(ada_browser, simulator):
    page = ada_browser.get(FIRST).content.decode()

    assert "Is yours ada@maple.example? Then choose Email. Is it ada? Then choose Username." in page


def test_without_its_add_on_the_other_method_is_named(ada_browser, simulator, maple):
    sentence = "The Application Access Policy method is available from your Customer Success Team."
    before = ada_browser.get(FIRST).content.decode()
    maple.addons = TEAMS_ADDONS
    maple.save()

    after = ada_browser.get(FIRST).content.decode()

    assert (sentence in before, sentence in after) == (True, False)


def test_continue_leads_to_the_second_question(ada_browser, simulator):
    response = ada_browser.post(FIRST, {"match_field": "username"})

    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{SECOND}?run=")


@pytest.mark.parametrize("answer", [{}, {"match_field": "shoe_size"}])
def test_a_missing_answer_is_refused(ada_browser, simulator, answer):
    response = ada_browser.post(FIRST, answer)

    assert response.status_code == 200
    assert len(response.context["form"].errors["match_field"]) == 1


def test_the_answer_is_kept_when_the_admin_returns(ada_browser, simulator):
    second = ada_browser.get(ada_browser.post(FIRST, {"match_field": "username"}).headers["Location"])
    [back, _] = re.findall(rf'href="({FIRST}\?run=[^"]+)"', second.content.decode())

    form = ada_browser.get(back).context["form"]

    assert form["match_field"].value() == "username"


# --- Second question ----------------------------------------------------------------------------------


def test_the_second_question_comes_after_the_first(ada_browser, simulator):
    response = ada_browser.get(SECOND)

    assert response.headers["Location"] == FIRST


def at_second(browser, match_field="email") -> str:
    """Answer the first question. Return the address of the second."""
    return next_page(browser.post(FIRST, {"match_field": match_field}))


def test_continue_leads_to_microsoft(ada_browser, simulator):
    response = ada_browser.post(at_second(ada_browser), {"tenant": CONTOSO_ID})

    assert microsoft_address(response).startswith(f"{simulator.url}/{CONTOSO_ID}/oauth2/v2.0/authorize?")


def test_nothing_is_stored_before_microsoft_has_answered(ada_browser, simulator):
    ada_browser.post(at_second(ada_browser), {"tenant": CONTOSO_ID})

    assert Connection.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "beginning"),
    [
        ("", "Enter your Microsoft Tenant ID."),
        ("contoso", "That is neither a tenant ID"),
        ("ada@maple.example", "That is an email address."),
        ("consumers", "“consumers” means any Microsoft tenant, so it cannot be connected."),
        ("nowhere.example", "Microsoft knows no tenant “nowhere.example”."),
    ],
)
def test_an_invalid_tenant_is_refused_and_stays_in_the_form(ada_browser, simulator, typed, beginning):
    response = ada_browser.post(at_second(ada_browser), {"tenant": typed})

    form = response.context["form"]
    assert response.status_code == 200
    assert form.errors["tenant"][0].startswith(beginning)
    assert form["tenant"].value() == typed


def test_the_answer_stays_while_microsoft_is_unreachable(ada_browser, simulator):
    second = at_second(ada_browser)
    simulator.control("fault", kind="entra_down")

    response = ada_browser.post(second, {"tenant": CONTOSO_ID})

    form = response.context["form"]
    (said,) = form.non_field_errors()
    assert said == (
        "Microsoft's sign-in service cannot be reached at the moment. Nothing was connected. Your answers are still "
        "here: continue to try again."
    )
    assert form["tenant"].value() == CONTOSO_ID


def test_the_summary_shows_the_other_answers(ada_browser, simulator):
    page = ada_browser.get(at_second(ada_browser, "username")).content.decode()

    assert "<dt>Method</dt><dd>Service Account</dd>" in page
    assert "<dt>UPN</dt><dd>Username</dd>" in page


def test_the_page_opens_without_a_request_to_microsoft(ada_browser, simulator):
    second = at_second(ada_browser)
    before = simulator.http.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"]

    ada_browser.get(second)

    assert simulator.http.get(f"{simulator.url}/_control/requests", timeout=10).json()["requests"] == before


def test_pending_sign_ins_do_not_accumulate(ada_browser, simulator):
    second = at_second(ada_browser)

    for _ in range(7):
        ada_browser.post(second, {"tenant": CONTOSO_ID})

    assert len(ada_browser.session["teams_pending_sign_ins"]) == 5


@pytest.mark.parametrize("page", [*PAGES, CALLBACK, OPENING])
def test_pages_of_the_wizard_are_not_cached(ada_browser, simulator, page):
    assert "no-store" in ada_browser.get(page).headers["Cache-Control"]


def test_the_callback_refuses_posts(ada_browser, simulator):
    assert ada_browser.post(CALLBACK, {"code": "a-code", "state": "a-state"}).status_code == 405


def test_the_fieldset_of_the_choices_is_not_a_control(ada_browser, simulator):
    page = ada_browser.get(FIRST).content.decode()

    assert page.count("form-check-input") == 2


# --- Connecting again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "first"), [("service_account", FIRST), ("access_policy", f"{FIRST}policy/")])
def test_reconnect_fills_in_the_former_answers(ada_browser, simulator, maple, method, first):
    maple.addons = TEAMS_ADDONS
    maple.save()
    connection = make_connection(maple, match_field="username", status="disconnected", is_default=False)
    TeamsConnection.objects.update(method=method)

    response = ada_browser.get(f"{FIRST}again/{connection.pk}/")

    address, _, run = response.headers["Location"].partition("?")
    assert address == first
    assert ada_browser.get(f"{FIRST}?{run}").context["form"]["match_field"].value() == "username"
    assert ada_browser.get(f"{SECOND}?{run}").context["form"]["tenant"].value() == str(TENANT_ID)

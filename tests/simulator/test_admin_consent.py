"""Admin consent: required roles, the redirect to the app, and declined consent."""

import pytest

from simulator import people
from simulator.people import CONTOSO_ID


@pytest.mark.parametrize("upn", [people.GLOBAL_ADMIN, people.PRIVILEGED_ADMIN])
def test_an_administrator_consents_for_all_users(simulator, upn):
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(upn)

    browser.submit(decision="accept")

    parameters = browser.callback_parameters
    assert (parameters["admin_consent"], parameters["tenant"], parameters["state"]) == (
        "True",
        CONTOSO_ID,
        "the-state",
    )
    assert simulator.state("consents")["admin"][CONTOSO_ID] == {
        "scopes": ["OnlineMeetings.ReadWrite", "User.Read", "User.ReadBasic.All"],
        "roles": ["OnlineMeetings.ReadWrite.All", "User.Read.All"],
    }


def test_an_ordinary_user_needs_admin_approval(simulator):
    browser = simulator.browser()
    browser.admin_consent()

    browser.pick(people.ORDINARY_USER)

    assert browser.heading == "Need admin approval"


def test_an_ordinary_user_cannot_post_the_decision(simulator):
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(people.ORDINARY_USER)

    browser.submit(decision="accept")

    assert simulator.state("consents")["admin"] == {}


@pytest.mark.parametrize("error", ["consent_required", "permission_denied", "access_denied"])
def test_a_declined_consent_also_returns_admin_consent_true(simulator, error):
    simulator.control("behaviour", admin_refusal=error)
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(people.GLOBAL_ADMIN)

    browser.submit(decision="cancel")

    parameters = browser.callback_parameters
    assert (parameters["error"], parameters["admin_consent"]) == (error, "True")
    assert "tenant" not in parameters


def test_an_administrator_of_another_tenant_is_rejected(simulator):
    browser = simulator.browser()
    browser.admin_consent()

    browser.pick(people.FABRIKAM_ADMIN)

    assert "AADSTS50020" in browser.page.text


def test_single_permissions_grant_no_roles(simulator):
    browser = simulator.browser()
    browser.admin_consent(scope="https://graph.microsoft.com/User.Read")
    browser.pick(people.GLOBAL_ADMIN)

    browser.submit(decision="accept")

    assert simulator.state("consents")["admin"][CONTOSO_ID] == {"scopes": ["User.Read"], "roles": []}


def test_the_verification_sign_in_after_admin_consent_is_silent(simulator):
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(people.GLOBAL_ADMIN)
    browser.submit(decision="accept")

    browser.authorize(prompt="", scope="openid profile")

    assert "code" in browser.callback_parameters

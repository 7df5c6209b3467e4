"""Admin consent: who may, what comes back, how a refusal is spelled."""

import pytest

from simulator import people
from simulator.people import CONTOSO_ID


@pytest.mark.parametrize("upn", [people.GLOBAL_ADMIN, people.PRIVILEGED_ADMIN])
def test_an_administrator_consents_for_everybody(simulator, upn):
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(upn)

    browser.submit(decision="accept")

    answer = browser.answer
    assert (answer["admin_consent"], answer["tenant"], answer["state"]) == ("True", CONTOSO_ID, "the-state")
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


@pytest.mark.parametrize("spelling", ["consent_required", "permission_denied", "access_denied"])
def test_a_refusal_says_admin_consent_true_as_well(simulator, spelling):
    simulator.control("behaviour", admin_refusal=spelling)
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(people.GLOBAL_ADMIN)

    browser.submit(decision="cancel")

    assert (browser.answer["error"], browser.answer["admin_consent"]) == (spelling, "True")
    assert "tenant" not in browser.answer


def test_a_foreign_administrator_is_turned_away(simulator):
    browser = simulator.browser()
    browser.admin_consent()

    browser.pick(people.FABRIKAM_ADMIN)

    assert "AADSTS50020" in browser.page.text


def test_single_permissions_bring_no_roles(simulator):
    browser = simulator.browser()
    browser.admin_consent(scope="https://graph.microsoft.com/User.Read")
    browser.pick(people.GLOBAL_ADMIN)

    browser.submit(decision="accept")

    assert simulator.state("consents")["admin"][CONTOSO_ID] == {"scopes": ["User.Read"], "roles": []}


def test_after_admin_consent_the_proving_sign_in_needs_no_click(simulator):
    browser = simulator.browser()
    browser.admin_consent()
    browser.pick(people.GLOBAL_ADMIN)
    browser.submit(decision="accept")

    browser.authorize(prompt="", scope="openid profile")

    assert "code" in browser.answer

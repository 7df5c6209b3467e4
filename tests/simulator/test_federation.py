"""A federated tenant, whose users sign in on a host of their own."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from simulator import people


@pytest.fixture
def federated(simulator):
    simulator.control("behaviour", federated=True)
    return simulator


@pytest.mark.parametrize("endpoint", ["authorize", "admin_consent"])
def test_microsoft_redirects_to_the_host_of_the_organisation(federated, endpoint):
    browser = federated.browser()

    getattr(browser, endpoint)()

    address = urlsplit(browser.page.url)
    assert (address.hostname, address.path) == ("localhost", "/federation/")
    assert browser.heading == "Sign in to your organisation"


def test_the_organisations_page_returns_to_microsoft(federated):
    browser = federated.browser()
    browser.admin_consent()
    [back] = re.findall(r'<a href="([^"]+)">Sign in</a>', browser.page.text)

    browser.open(unescape(back))
    browser.pick(people.GLOBAL_ADMIN)
    browser.submit(decision="accept")

    assert browser.callback_parameters["admin_consent"] == "True"


def test_other_tenants_sign_in_at_microsoft(simulator):
    browser = simulator.browser()

    browser.authorize()

    assert browser.heading == "Pick an account"

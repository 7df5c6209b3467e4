"""Limits of sign-in attempts: ten guesses in fifteen minutes, and strangers can't lock an owner out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from staff.models import Role, StaffMember
from staff.sign_in.forms import LimitedSignInForm
from staff.sign_in.limits import count_attempt, record_success
from staff.sign_in.passwords import FORGOTTEN_PASSWORD_TOKENS
from tests.factories import PASSWORD, make_member, make_operator, make_organization

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EMAIL = "ada@maple.example"
WRONG_PAIR = ["This email and password do not belong together. Check both and try again."]
TOO_MANY = ["Too many attempts. Try again in 15 minutes or reset your password."]
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def ada(db) -> StaffMember:
    cache.clear()
    ada = make_member(make_organization(), "Ada Lovell", Role.ADMIN)
    ada.set_password(PASSWORD)
    ada.save()
    return ada


@pytest.fixture(autouse=True)
def clock():
    # Keep each test within one window of fifteen minutes.
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def try_password(password: str, email: str = EMAIL, *, page: str = "login", **request):
    return Browser().post(reverse(page), {"username": email, "password": password}, **request)


def guess(times: int, email: str = EMAIL, **request):
    """Try wrong passwords that many times; return the last response."""
    return [try_password("not the password", email, **request) for _ in range(times)][-1]


def sentence_of(answer) -> list[str]:
    return list(answer.context["form"].non_field_errors())


def is_in(answer) -> bool:
    return bool(answer.status_code == 302)


def test_after_ten_wrong_passwords_even_the_right_one_waits():
    tenth = guess(10)

    answer = try_password(PASSWORD)

    assert sentence_of(tenth) == WRONG_PAIR
    assert sentence_of(answer) == TOO_MANY
    assert answer.context["form"]["username"].value() == EMAIL


def test_a_quarter_of_an_hour_later_the_right_password_works(clock):
    guess(11)
    clock.shift(timedelta(minutes=15))

    assert is_in(try_password(PASSWORD))


def test_the_email_is_counted_without_case():
    guess(5, EMAIL)
    guess(5, EMAIL.upper())

    assert sentence_of(try_password(PASSWORD)) == TOO_MANY


def test_a_spelling_that_finds_the_same_account_is_the_same_account(ada):
    """Accounts are found by the uppercase email, and a dotless i is an I in upper case."""
    StaffMember.objects.filter(pk=ada.pk).update(email="ida@maple.example")
    guess(10, email="ida@maple.example")

    assert sentence_of(try_password(PASSWORD, email="\u0131da@maple.example")) == TOO_MANY


@pytest.mark.parametrize("email", ["ada@maple.example\u200b", "a\u2060da@maple.example", "<ada@maple.example>"])
def test_a_spelling_with_pasted_characters_is_the_same_account(email):
    guess(9)
    guess(1, email=email)

    assert sentence_of(try_password(PASSWORD)) == TOO_MANY


def test_ipv4_addresses_written_as_ipv6_are_counted_apart():
    guess(10, REMOTE_ADDR="::ffff:203.0.113.9")

    assert is_in(try_password(PASSWORD, REMOTE_ADDR="::ffff:198.51.100.7"))


def test_the_right_password_resets_the_count():
    guess(9)
    try_password(PASSWORD)
    guess(9)

    assert is_in(try_password(PASSWORD))


def test_a_stranger_elsewhere_does_not_lock_the_owner_out():
    guess(11, REMOTE_ADDR="203.0.113.5")

    assert is_in(try_password(PASSWORD, REMOTE_ADDR="198.51.100.7"))


def test_one_ip_address_may_try_a_hundred_times_with_any_emails():
    for number in range(100):
        count_attempt(RequestFactory().post("/"), f"person{number}@maple.example")

    assert sentence_of(try_password(PASSWORD)) == TOO_MANY
    assert is_in(try_password(PASSWORD, REMOTE_ADDR="198.51.100.7"))


def guess_from_many_addresses() -> None:
    """Guess a hundred times at Ada's account, only a few times from each IP address."""
    for number in range(100):
        count_attempt(RequestFactory().post("/", REMOTE_ADDR=f"203.0.113.{number}"), EMAIL)


def test_many_ip_addresses_together_may_guess_a_hundred_times_at_one_account():
    guess_from_many_addresses()

    assert sentence_of(try_password(PASSWORD, REMOTE_ADDR="198.51.100.7")) == TOO_MANY


def test_they_do_not_lock_the_owner_out_on_a_known_device():
    own = Browser()
    own.post(reverse("login"), {"username": EMAIL, "password": PASSWORD})
    own.post(reverse("logout"))
    guess_from_many_addresses()

    answer = own.post(reverse("login"), {"username": EMAIL.title(), "password": PASSWORD})

    assert is_in(answer)


def test_a_known_device_of_another_account_does_not_count(ada):
    make_member(ada.organization, "Ben Moss")
    StaffMember.objects.filter(first_name="Ben").update(password=ada.password, email="ben@maple.example")
    other = Browser()
    other.post(reverse("login"), {"username": "ben@maple.example", "password": PASSWORD})
    other.post(reverse("logout"))
    guess_from_many_addresses()

    answer = other.post(reverse("login"), {"username": EMAIL, "password": PASSWORD})

    assert sentence_of(answer) == TOO_MANY


def sign_in_and_out(browser: Browser) -> str:
    """Return the value of the cookie by which the browser is known."""
    browser.post(reverse("login"), {"username": EMAIL, "password": PASSWORD})
    browser.post(reverse("logout"))
    return browser.cookies["coconut_device"].value


def test_each_browser_has_another_cookie():
    values = [sign_in_and_out(Browser()) for _ in range(2)]

    assert values[0] != values[1]
    assert all(len(value) > 64 for value in values)


def test_after_a_new_password_a_device_is_no_longer_known(ada):
    own = Browser()
    sign_in_and_out(own)
    ada.set_password("a quite different one")
    ada.save()
    guess_from_many_addresses()

    answer = own.post(reverse("login"), {"username": EMAIL, "password": "a quite different one"})

    assert sentence_of(answer) == TOO_MANY


@pytest.mark.parametrize("value", ["", ".", "x", "x." + "0" * 64, "\u00e9.\u00e9"])
def test_an_invented_cookie_is_not_a_known_device(value):
    own = Browser()
    own.cookies["coconut_device"] = value
    guess_from_many_addresses()

    answer = own.post(reverse("login"), {"username": EMAIL, "password": PASSWORD})

    assert sentence_of(answer) == TOO_MANY


def test_a_known_device_stays_known_if_the_email_changes(ada):
    own = Browser()
    sign_in_and_out(own)
    StaffMember.objects.filter(pk=ada.pk).update(email="ada.lovell@maple.example")
    for number in range(100):
        request = RequestFactory().post("/", REMOTE_ADDR=f"203.0.113.{number}")
        count_attempt(request, "ada.lovell@maple.example")

    answer = own.post(reverse("login"), {"username": "ada.lovell@maple.example", "password": PASSWORD})

    assert is_in(answer)


def test_a_password_that_was_just_set_works_regardless_of_other_guesses(ada):
    guess_from_many_addresses()
    own = Browser()
    token = FORGOTTEN_PASSWORD_TOKENS.make_token(ada)
    link = reverse("password-set", args=[urlsafe_base64_encode(force_bytes(ada.pk)), token])
    page = own.get(link, follow=True)
    new = "a quite different one"
    own.post(page.redirect_chain[-1][0], {"new_password1": new, "new_password2": new})
    guess_from_many_addresses()

    assert is_in(own.post(reverse("login"), {"username": EMAIL, "password": new}))


def test_a_successful_sign_in_does_not_count_against_the_offices_ip_address():
    for _ in range(101):
        request = RequestFactory().post("/")
        count_attempt(request, EMAIL)
        record_success(request, EMAIL)

    assert is_in(try_password(PASSWORD))


def test_one_stubborn_device_does_not_stop_its_office(ada):
    for _ in range(120):
        count_attempt(RequestFactory().post("/"), "printer@maple.example")

    assert is_in(try_password(PASSWORD))


def test_an_ipv6_network_is_one_address():
    for number in range(10):
        guess(1, REMOTE_ADDR=f"2001:db8::{number}")

    assert sentence_of(try_password(PASSWORD, REMOTE_ADDR="2001:db8::ffff")) == TOO_MANY


def test_a_forwarded_header_from_the_client_is_ignored(settings):
    for number in range(10):
        guess(1, headers={"x-forwarded-for": f"203.0.113.{number}"})

    assert sentence_of(try_password(PASSWORD, headers={"x-forwarded-for": "203.0.113.99"})) == TOO_MANY


def test_behind_a_proxy_only_the_address_it_adds_counts(settings):
    settings.REST_FRAMEWORK = {"NUM_PROXIES": 1}
    for number in range(10):
        guess(1, headers={"x-forwarded-for": f"192.0.2.{number}, 203.0.113.5"})

    stopped = try_password(PASSWORD, headers={"x-forwarded-for": "192.0.2.77, 203.0.113.5"})
    elsewhere = try_password(PASSWORD, headers={"x-forwarded-for": "203.0.113.5, 198.51.100.7"})

    assert sentence_of(stopped) == TOO_MANY
    assert is_in(elsewhere)


@pytest.mark.parametrize("address", ["203.0.113.5:{port}", "[2001:db8::7]:{port}"])
def test_a_port_added_by_the_proxy_is_ignored(settings, address):
    settings.REST_FRAMEWORK = {"NUM_PROXIES": 1}
    for number in range(10):
        guess(1, headers={"x-forwarded-for": address.format(port=40_000 + number)})

    assert sentence_of(try_password(PASSWORD, headers={"x-forwarded-for": address.format(port=1)})) == TOO_MANY


def test_the_operator_sign_in_page_has_the_same_limit():
    make_operator()
    for _ in range(10):
        try_password("not the password", "olive@operator.example", page="admin:login")

    answer = try_password(PASSWORD, "olive@operator.example", page="admin:login")

    assert sentence_of(answer) == TOO_MANY


def test_an_operator_signs_in():
    make_operator()

    assert is_in(try_password(PASSWORD, "olive@operator.example", page="admin:login"))


def test_without_a_cache_signing_in_works(settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY_LISTENS}}

    guess(11)

    assert is_in(try_password(PASSWORD))


def test_validating_the_form_without_a_request_counts_nothing():
    form = LimitedSignInForm(None, {"username": EMAIL, "password": PASSWORD})

    assert form.is_valid()

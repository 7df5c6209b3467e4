"""Id tokens of another time: a wrong clock of ours, or an old token."""

from __future__ import annotations

import time

import pytest
import responses
from django.core.cache import cache
from django.utils.http import http_date

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.id_token import verify_id_token
from tests.integrations.teams.entra.id_tokens import FLOW, TENANT, claims, published_keys, signed
from tests.integrations.teams.entra.token_endpoint import KEYS
from tests.outbox import send_all

pytestmark = pytest.mark.django_db

CLOCK = (
    "The clock of Coconut's server is wrong, so Coconut and Microsoft do not accept each other's messages. "
    "Coconut's operator has been notified. Your account and your tenant are fine."
)
REJECTED = "Microsoft's answer does not belong to this sign-in, so it was not accepted."


@pytest.fixture(autouse=True)
def no_emails_sent_yet(servers):
    cache.clear()


@pytest.fixture
def microsoft_ahead():
    """Serve Microsoft's keys with a clock that is ahead of ours. Return the function that sets it."""
    with responses.RequestsMock() as mock:

        def serve(seconds: float, **headers: str) -> None:
            date = http_date(time.time() + seconds)
            mock.get(KEYS, json=published_keys(), headers={"Date": date, **headers})

        yield serve


def token_of(seconds: int) -> str:
    """Return an id token that was issued `seconds` from now, and is valid for five minutes."""
    issued = int(time.time()) + seconds
    return signed(claims(iat=issued, nbf=issued, exp=issued + 300))


def problem_with(token: str) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        verify_id_token(token, TENANT, FLOW)
    return caught.value


@pytest.mark.parametrize("offset", [400, 600, -900])
def test_a_wrong_clock_of_ours_is_for_operators(microsoft_ahead, offset):
    microsoft_ahead(offset)

    problem = problem_with(token_of(offset))

    assert (problem.kind, str(problem)) == (ErrorKind.OPERATOR, CLOCK)


@pytest.mark.parametrize("issued", [400, -900])
def test_a_token_of_another_time_is_rejected_while_the_clocks_agree(microsoft_ahead, mailoutbox, issued):
    microsoft_ahead(0)

    problem = problem_with(token_of(issued))

    assert (problem.kind, str(problem)) == (ErrorKind.CONNECTION, REJECTED)
    send_all()
    assert mailoutbox == []


def test_small_differences_are_accepted(microsoft_ahead):
    microsoft_ahead(90)

    assert verify_id_token(token_of(90), TENANT, FLOW).upn == "coconut-meetings@contoso.example"


def test_keys_from_a_cache_do_not_blame_our_clock(microsoft_ahead):
    microsoft_ahead(-4000, Age="4000")

    assert problem_with(token_of(-900)).kind == ErrorKind.CONNECTION


@pytest.mark.parametrize("date", ["", "soon", "Mon, 99 Foo 2026 99:99:99 GMT"])
def test_without_microsofts_time_the_token_is_rejected(microsoft_ahead, date):
    microsoft_ahead(0, Date=date)

    assert problem_with(token_of(400)).kind == ErrorKind.CONNECTION


def test_operators_get_one_email_a_day_about_the_clock(microsoft_ahead, mailoutbox):
    microsoft_ahead(600)

    for _ in range(2):
        problem_with(token_of(600))

    send_all()
    (mail,) = mailoutbox
    assert mail.to == ["olive@operator.example"]
    assert mail.subject.endswith("The clock of Coconut's server is wrong")
    assert mail.body.startswith(("It is 600 seconds behind Microsoft's clock.", "It is 599 seconds behind"))


def test_names_for_display_are_cut_to_their_columns(microsoft_ahead):
    microsoft_ahead(0)
    token = signed(claims(name="Ada\x00\ud800 Löw" + "x" * 400, preferred_username=["no text"]))

    identity = verify_id_token(token, TENANT, FLOW)

    assert (identity.name[:7], len(identity.name), identity.upn) == ("Ada Löw", 300, "")

"""Adopt the user name behind an alias, from the row in the user table."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from integrations.connections.disconnect import disconnect_connection
from integrations.event_text import event_text
from integrations.matching.alias import AliasError, adopt_user_name
from integrations.models import Connection, ConnectionEvent, ConnectionStatus, MatchField
from staff.models import StaffMember
from staff.outbox import SEND_TASK
from tests.factories import make_connection, make_match, make_member, make_organization
from tests.integrations.pages import messages_of, page_text
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]
ALIAS = {"directory": "unmatched", "reason": "alias", "remote_id": ""}


@pytest.fixture
def anna(maple):
    return make_member(maple, "Anna Kim")


@pytest.fixture
def alias(connection, anna):
    return make_match(connection, anna, **ALIAS, hint="anna.k@maple.example")


def address(connection, person):
    return reverse("connection-takeover", args=[connection.pk, person.pk])


def test_the_row_offers_the_right_name_and_leads_back_to_the_same_table(browser, connection, anna, alias):
    html = browser.get(reverse("connection", args=[connection.pk]), {"search": "anna"}).content.decode()

    assert f'href="{address(connection, anna)}?back=search%3Danna"' in html
    assert "Use anna.k@maple.example instead" in html


def test_the_confirmation_says_that_the_login_changes(browser, connection, anna, alias):
    text = page_text(browser.get(address(connection, anna)))

    assert "which is anna@maple.example now, becomes the same" in text
    assert "From then on Anna Kim signs in to Coconut with anna.k@maple.example" in text
    anna.refresh_from_db()
    assert anna.email == "anna@maple.example"


def test_use_it_changes_the_person_and_rematches(
    browser, connection, ada, anna, alias, sent_tasks, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(address(connection, anna), {"new": "anna.k@maple.example", "back": "search=anna"})

    anna.refresh_from_db()
    event = ConnectionEvent.objects.get()
    assert response.url == reverse("connection", args=[connection.pk], query={"search": "anna"})
    assert messages_of(response) == ["Anna Kim uses anna.k@maple.example now and is being matched again."]
    assert anna.email == "anna.k@maple.example"
    assert sent_tasks == [("integrations.rematch_changed_staff",), (SEND_TASK,)]
    assert (event.kind, event.actor) == ("user_name_adopted", ada)
    assert event_text(event) == "The email of Anna Kim was anna@maple.example and is anna.k@maple.example now."


def test_both_addresses_get_one_email(browser, connection, anna, alias, sent_tasks, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    send_all()
    (sent,) = mail.outbox
    assert sent.to == ["anna@maple.example", "anna.k@maple.example"]
    assert "New: anna.k@maple.example" in sent.body


def test_a_username_is_adopted_without_an_email(
    browser, connection, anna, sent_tasks, django_capture_on_commit_callbacks
):
    connection.match_field = MatchField.USERNAME
    connection.save()
    make_match(connection, anna, **ALIAS, hint="anna.k", queried_name="anna")

    text = page_text(browser.get(address(connection, anna)))
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    anna.refresh_from_db()
    send_all()
    assert (anna.username, anna.email, mail.outbox) == ("anna.k", "anna@maple.example", [])
    assert "signs in to Coconut" not in text


@pytest.mark.parametrize("organization", ["Maple Credit Union", "Cedar Bank"])
def test_a_name_in_use_changes_nothing(browser, connection, maple, anna, alias, organization):
    owner = maple if organization == maple.name else make_organization(organization)
    make_member(owner, "Kim Other", email="Anna.K@maple.example")

    response = browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    anna.refresh_from_db()
    assert messages_of(response) == ["This email is already taken."]
    assert (anna.email, ConnectionEvent.objects.count()) == ("anna@maple.example", 0)


def test_a_taken_username_changes_nothing(browser, connection, maple, anna):
    connection.match_field = MatchField.USERNAME
    connection.save()
    make_match(connection, anna, **ALIAS, hint="ADA", queried_name="anna")

    response = browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    anna.refresh_from_db()
    assert (messages_of(response), anna.username) == (["This username is already taken."], "anna")


@pytest.mark.parametrize("hint", ["no address", "a@b@c", "x" * 300 + "@maple.example", "a\nb@maple.example"])
def test_an_invalid_address_is_refused_with_a_sentence(browser, connection, anna, hint):
    make_match(connection, anna, **ALIAS, hint=hint)

    response = browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    anna.refresh_from_db()
    assert anna.email == "anna@maple.example"
    assert messages_of(response)[0].endswith(".")


@pytest.mark.parametrize("agreed", ["", "other@maple.example", "Anna.K@maple.example"])
def test_only_the_name_offered_by_the_page_and_the_platform_is_accepted(browser, connection, anna, alias, agreed):
    response = browser.post(address(connection, anna), {"new": agreed, "email": "other@maple.example"})

    anna.refresh_from_db()
    assert anna.email == "anna@maple.example"
    assert messages_of(response) == [
        "There is no user name to take over for Anna Kim any more. The table shows the present state."
    ]


def test_after_a_disconnect_no_name_is_adopted(connection, anna, alias):
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    with pytest.raises(AliasError):
        adopt_user_name(connection, anna, "anna.k@maple.example", None)

    anna.refresh_from_db()
    assert anna.email == "anna@maple.example"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "answer",
    [
        {"reason": "not_found", "hint": "anna.k@maple.example"},
        {"reason": "alias", "hint": ""},
        {"reason": "alias", "hint": "anna.k@maple.example", "queried_name": "older@maple.example"},
        {"reason": "alias", "hint": "anna.k@maple.example", "queried_name": None},
    ],
)
def test_a_result_without_an_offer_changes_nothing(browser, connection, anna, answer, method):
    make_match(connection, anna, directory="unmatched", remote_id="", **answer)

    response = getattr(browser, method)(address(connection, anna))

    anna.refresh_from_db()
    assert anna.email == "anna@maple.example"
    assert messages_of(response) == [
        "There is no user name to take over for Anna Kim any more. The table shows the present state."
    ]


def test_a_person_of_another_organisation_is_not_found(browser, connection):
    cedar = make_organization("Cedar Bank")
    foreign = make_member(cedar, "Otto Weber")
    make_match(make_connection(cedar), foreign, **ALIAS, hint="o@cedar.example")

    response = browser.post(address(connection, foreign))

    foreign.refresh_from_db()
    assert (response.status_code, foreign.email) == (404, "otto@cedar.example")


def test_the_page_adopts_no_name_after_a_disconnect(browser, connection, anna, alias):
    disconnect_connection(connection, None)

    browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})

    assert StaffMember.objects.get(pk=anna.pk).email == "anna@maple.example"


def test_an_email_server_outage_only_delays_the_email(
    browser, connection, anna, alias, sent_tasks, django_capture_on_commit_callbacks
):
    with email_server_down(), django_capture_on_commit_callbacks(execute=True):
        browser.post(address(connection, anna), {"new": connection.matches.get(staff=anna).hint})
        send_all()
    sent_meanwhile = list(mail.outbox)
    retry_all()

    anna.refresh_from_db()
    assert anna.email == "anna.k@maple.example"
    assert (sent_meanwhile, len(mail.outbox)) == ([], 1)


def test_a_person_being_looked_up_again_has_no_outdated_remedy(browser, connection, anna, alias):
    StaffMember.objects.filter(pk=anna.pk).update(email="anna.k@maple.example")

    html = browser.get(reverse("connection", args=[connection.pk]), {"search": "anna"}).content.decode()

    assert "Being looked up again." in html
    assert "instead</a>" not in html
    assert f"staff={anna.pk}" in html

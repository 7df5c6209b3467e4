"""Requests to connect a tenant if Microsoft leaves out the administrator's roles, and the operator's decision."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import mail
from django.db import IntegrityError
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.audit import CONNECTION_CHANGED
from integrations.connections.lifecycle import AlreadyConnected
from integrations.event_text import event_text
from integrations.models import Connection, ConnectionStatus, EventKind, RematchRun
from integrations.teams.connect import request_emails, requests
from integrations.teams.connect.requests import NotWaiting, confirm_request, expire_requests, request_confirmation
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.entra.id_token import Identity
from integrations.teams.models import ConnectionRequest, Method
from simulator import people
from simulator.people import CONTOSO_ID
from staff.audit_log.models import AuditEvent
from staff.models import Role
from tests.factories import TEAMS_ADDONS, make_connection_request, make_member, make_operator, make_organization
from tests.integrations.pages import page_text
from tests.integrations.teams.oauth_steps import (
    CALLBACK,
    accept,
    connect_access_policy,
    connect_service_account,
    consent,
    is_tenant_page,
    shown_messages,
    start_access_policy,
)
from tests.outbox import send_all

VIDEO_CALLS = "/settings/video-calls/"


@pytest.fixture
def maple(db):
    return make_organization(addons=TEAMS_ADDONS)


@pytest.fixture
def otto_browser(db):
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(make_member(make_organization("Cedar Bank", addons=TEAMS_ADDONS), "Otto Keller", "admin"))
    return browser


@pytest.fixture
def olive(db):
    return make_operator()


@pytest.fixture
def olive_browser(olive):
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(olive)
    return browser


@pytest.fixture
def without_roles(simulator):
    """Microsoft leaves `wids` out of every id token."""
    simulator.control("fault", kind="no_wids")
    return simulator


def only_request() -> ConnectionRequest:
    return ConnectionRequest.objects.get()


def decide(browser: Client, decision: str) -> list[str]:
    """Decide the only request in Django admin. Return what the next page says."""
    page = reverse("admin:teams_connectionrequest_decide", args=[only_request().pk])
    response = browser.post(page, {decision: "yes"}, follow=True)
    return [str(message) for message in response.context["messages"]]


def emails_to(address: str) -> list[mail.EmailMessage]:
    send_all()
    return [message for message in mail.outbox if message.to == [address]]


def grow_old() -> None:
    ConnectionRequest.objects.update(requested_at=F("requested_at") - timedelta(days=7, seconds=1))


# --- Requested ------------------------------------------------------------------------------------------


def test_without_roles_the_tenant_is_only_requested(ada_browser, without_roles, ada):
    response = connect_access_policy(ada_browser, without_roles, match_field="username")

    request = only_request()
    assert response.headers["Location"] == reverse("teams-request", args=[request.pk])
    assert (str(request.tenant_id), request.account_upn, request.match_field) == (
        CONTOSO_ID,
        people.GLOBAL_ADMIN,
        "username",
    )
    assert (request.requested_by, request.state) == (ada, "waiting")
    assert not Connection.objects.exists()


def test_a_request_asks_microsoft_for_no_app_token(ada_browser, without_roles):
    connect_access_policy(ada_browser, without_roles)

    log = without_roles.http.get(f"{without_roles.url}/_control/requests").json()["requests"]
    assert [entry["grant_type"] for entry in log if entry["grant_type"]] == ["authorization_code"]


def test_an_ordinary_employee_gets_no_further_than_a_request(ada_browser, without_roles):
    without_roles.control("consent")
    state = parse_qs(urlsplit(start_access_policy(ada_browser)).query)["state"][0]
    forged = {"admin_consent": "True", "tenant": CONTOSO_ID, "state": state}
    proof = ada_browser.get(f"{CALLBACK}?{urlencode(forged)}").headers["Location"]

    ada_browser.get(accept(without_roles.browser(), proof, people.ORDINARY_USER))

    assert only_request().account_upn == people.ORDINARY_USER
    assert not Connection.objects.exists()


def test_the_page_says_who_confirms_and_what_to_do_meanwhile(ada_browser, without_roles):
    response = connect_access_policy(ada_browser, without_roles)

    text = page_text(ada_browser.get(response.headers["Location"]))
    assert "your Customer Success Team has to confirm the tenant" in text
    assert "Wait for the email to all admins." in text
    assert CONTOSO_ID in text
    assert people.GLOBAL_ADMIN in text


def test_the_operators_get_one_email_with_the_facts(ada_browser, without_roles, settings):
    settings.ADMINS = [("Operator", "olive@operator.example")]
    connect_access_policy(ada_browser, without_roles)
    connect_access_policy(ada_browser, without_roles)

    [message] = emails_to("olive@operator.example")
    page = reverse("admin:teams_connectionrequest_decide", args=[only_request().pk])
    assert "Confirm the Microsoft tenant of Maple" in message.subject
    assert CONTOSO_ID in message.body
    assert people.GLOBAL_ADMIN in message.body
    assert f"http://localhost:8000{page}" in message.body


def test_another_account_replaces_the_waiting_request(ada_browser, without_roles):
    connect_access_policy(ada_browser, without_roles)
    consent(ada_browser, without_roles, start_access_policy(ada_browser), people.PRIVILEGED_ADMIN)

    requests = ConnectionRequest.objects.order_by("pk").values_list("account_upn", "state")
    assert list(requests) == [(people.GLOBAL_ADMIN, "cancelled"), (people.PRIVILEGED_ADMIN, "waiting")]


def test_a_tenant_has_one_waiting_request_per_organisation(maple, ada):
    make_connection_request(ada)

    with pytest.raises(IntegrityError, match="one_waiting_request_per_tenant"):
        make_connection_request(ada)


@pytest.mark.parametrize("status", [ConnectionStatus.CONNECTED, ConnectionStatus.DISCONNECTED])
def test_a_tenant_that_another_organisation_connected_is_refused(ada_browser, otto_browser, simulator, status):
    connect_access_policy(ada_browser, simulator)
    Connection.objects.update(status=status, is_default=False)
    simulator.control("fault", kind="no_wids")

    response = connect_access_policy(otto_browser, simulator)

    assert is_tenant_page(response)
    (sentence,) = shown_messages(otto_browser)
    assert "this Microsoft tenant is connected to another organisation already" in sentence
    assert not ConnectionRequest.objects.exists()


def test_connecting_again_after_a_disconnect_needs_no_confirmation(ada_browser, simulator, only_connection):
    connect_access_policy(ada_browser, simulator)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
    simulator.control("fault", kind="no_wids")

    connect_access_policy(ada_browser, simulator)

    assert only_connection().status == "connected"
    assert not ConnectionRequest.objects.exists()


def test_a_tenant_that_was_connected_at_the_same_moment_is_not_requested(ada_browser, simulator, maple, ada):
    connect_access_policy(ada_browser, simulator)
    answers = WizardAnswers(CONTOSO_ID, "contoso.example", "email", Method.ACCESS_POLICY)
    identity = Identity(CONTOSO_ID, "oid-of-gail", people.GLOBAL_ADMIN, "Gail Adams")

    with pytest.raises(AlreadyConnected):
        request_confirmation(maple, ada, answers, identity)

    assert not ConnectionRequest.objects.exists()


def test_the_service_account_method_needs_no_confirmation(ada_browser, without_roles, only_connection, maple):
    maple.addons = ["teams"]
    maple.save()

    connect_service_account(ada_browser, without_roles)

    assert only_connection().teams.method == "service_account"


def test_a_connection_with_roles_cancels_the_waiting_request(ada_browser, without_roles, only_connection):
    connect_access_policy(ada_browser, without_roles)
    without_roles.control("clear-faults")

    connect_access_policy(ada_browser, without_roles)

    assert only_connection().status == "connected"
    assert only_request().state == "cancelled"


# --- Confirmed ------------------------------------------------------------------------------------------


def test_the_operator_sees_the_facts_and_how_to_check_the_tenant(ada_browser, without_roles, olive_browser, ada):
    connect_access_policy(ada_browser, without_roles)
    request = only_request()
    make_connection_request(make_member(make_organization("Birch Clinic"), "Bea Birch", "admin"))

    page = reverse("admin:teams_connectionrequest_decide", args=[request.pk])
    text = page_text(olive_browser.get(page))

    assert {CONTOSO_ID, people.GLOBAL_ADMIN, ada.email} <= set(text.replace("(", " ").replace(")", " ").split())
    assert "https://login.microsoftonline.com/DOMAIN/v2.0/.well-known/openid-configuration" in text
    assert "Other organisations with this tenant Birch Clinic" in text
    assert "look up that company's users and create meetings on their behalf" in text


def test_a_confirmed_request_is_stored_as_any_other_connection(
    ada_browser, without_roles, olive_browser, olive, only_connection
):
    connect_access_policy(ada_browser, without_roles, match_field="username")

    said = decide(olive_browser, "confirm")

    connection, request = only_connection(), only_request()
    assert said == ["Microsoft Teams is connected. All admins get an email."]
    assert (connection.is_default, connection.match_field, connection.status) == (True, "username", "connected")
    assert (connection.teams.method, connection.teams.account_upn) == ("access_policy", people.GLOBAL_ADMIN)
    assert sorted(connection.teams.granted) == ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    assert RematchRun.objects.get().connection == connection
    assert (request.state, request.decided_by) == ("confirmed", olive)


def test_the_history_and_the_audit_log_name_the_operator_who_confirmed(
    ada_browser, without_roles, olive_browser, olive, only_connection
):
    connect_access_policy(ada_browser, without_roles)

    decide(olive_browser, "confirm")

    connected = only_connection().events.get(kind=EventKind.CONNECTED)
    logged = AuditEvent.objects.get(kind=CONNECTION_CHANGED.name, params__event=connected.pk)
    assert (connected.actor, logged.actor) == (olive, olive)


def test_the_history_says_that_the_tenant_was_confirmed(ada_browser, without_roles, olive_browser, only_connection):
    connect_access_policy(ada_browser, without_roles)
    decide(olive_browser, "confirm")

    noted = only_connection().events.get(kind=EventKind.NOTED)
    assert event_text(noted) == (
        f"Microsoft did not say which administrator roles {people.GLOBAL_ADMIN} has. The Customer Success Team "
        "confirmed the tenant."
    )


def test_the_admins_get_an_email_once_it_is_connected(ada_browser, without_roles, olive_browser, ada):
    connect_access_policy(ada_browser, without_roles)
    decide(olive_browser, "confirm")

    [message] = emails_to(ada.email)
    assert message.subject == "Microsoft Teams is connected."
    assert "http://localhost:8000/settings/video-calls/" in message.body


def test_a_consent_that_microsoft_does_not_show_is_named_to_operator_and_admin(
    ada_browser, without_roles, olive_browser
):
    connect_access_policy(ada_browser, without_roles)
    without_roles.control("revoke-consent")

    [said] = decide(olive_browser, "confirm")

    notices = page_text(ada_browser.get(VIDEO_CALLS))
    page = page_text(ada_browser.get(reverse("teams-request", args=[only_request().pk])))
    assert said.startswith("Microsoft does not grant Coconut the permissions OnlineMeetings.ReadWrite.All")
    assert said.endswith("to consent again: choose Microsoft Teams and repeat the steps.")
    assert said in notices
    assert said in page
    assert only_request().state == "waiting"
    assert not Connection.objects.exists()


def test_after_a_failure_the_operator_can_confirm_again(ada_browser, without_roles, olive_browser, only_connection):
    connect_access_policy(ada_browser, without_roles)
    without_roles.control("fault", kind="token_down", count=1)
    decide(olive_browser, "confirm")

    decide(olive_browser, "confirm")

    assert only_connection().status == "connected"


def test_a_tenant_connected_elsewhere_meanwhile_is_not_confirmed(
    ada_browser, otto_browser, without_roles, olive_browser, only_connection
):
    connect_access_policy(ada_browser, without_roles)
    without_roles.control("clear-faults")
    connect_access_policy(otto_browser, without_roles)

    [said] = decide(olive_browser, "confirm")

    assert "this Microsoft tenant is connected to another organisation already" in said
    assert only_connection().organization.name == "Cedar Bank"


def test_a_tenant_that_is_already_connected_is_not_confirmed_again(
    ada_browser, simulator, ada, olive_browser, only_connection
):
    connect_access_policy(ada_browser, simulator)
    make_connection_request(ada)

    said = decide(olive_browser, "confirm")

    assert said == ["Already connected. Use Reauthorize."]
    assert only_connection().events.filter(kind=EventKind.CONNECTED).count() == 1
    assert only_request().state == "waiting"


def test_without_the_add_on_nothing_is_confirmed(ada_browser, without_roles, olive_browser, maple):
    connect_access_policy(ada_browser, without_roles)
    maple.addons = ["teams"]
    maple.save()

    [said] = decide(olive_browser, "confirm")

    assert said == (
        "The Application Access Policy add-on is switched off for this organisation. Your Customer Success Team must "
        "switch it on first."
    )
    assert only_request().state == "waiting"


def test_a_request_is_decided_once(ada_browser, without_roles, olive_browser):
    connect_access_policy(ada_browser, without_roles)
    decide(olive_browser, "confirm")

    said = decide(olive_browser, "decline")

    page = olive_browser.get(reverse("admin:teams_connectionrequest_decide", args=[only_request().pk]))
    assert said == ["The request no longer waits for a decision, so nothing was changed."]
    assert only_request().state == "confirmed"
    assert "Confirm and connect" not in page_text(page)


def test_only_operators_decide(ada_browser, without_roles):
    connect_access_policy(ada_browser, without_roles)

    page = reverse("admin:teams_connectionrequest_decide", args=[only_request().pk])
    response = ada_browser.post(page, {"confirm": "yes"})

    assert response.headers["Location"].startswith("/operator/login/")
    assert only_request().state == "waiting"


def test_the_link_of_the_email_leads_to_the_sign_in_of_operators(client, maple, ada):
    page = reverse("admin:teams_connectionrequest_decide", args=[make_connection_request(ada).pk])

    response = client.get(page)

    assert response.headers["Location"] == f"/operator/login/?next={page}"


def test_the_request_in_django_admin_leads_to_the_decision(olive_browser, maple, ada):
    request = make_connection_request(ada)

    page = olive_browser.get(reverse("admin:teams_connectionrequest_change", args=[request.pk])).content.decode()

    assert reverse("admin:teams_connectionrequest_decide", args=[request.pk]) in page


# --- Declined, cancelled, expired -----------------------------------------------------------------------


def test_a_declined_request_connects_nothing_and_an_email_says_what_to_do(
    ada_browser, without_roles, olive_browser, olive, ada
):
    connect_access_policy(ada_browser, without_roles)

    said = decide(olive_browser, "decline")

    [message] = emails_to(ada.email)
    assert said == ["The request was declined. All admins get an email."]
    assert message.subject == "The request to connect Microsoft Teams was declined"
    assert "Check the tenant ID." in message.body
    assert (only_request().state, only_request().decided_by) == ("declined", olive)
    assert not Connection.objects.exists()


def test_after_a_declined_request_the_admin_can_ask_again(ada_browser, without_roles, olive_browser):
    connect_access_policy(ada_browser, without_roles)
    decide(olive_browser, "decline")

    connect_access_policy(ada_browser, without_roles)

    assert ConnectionRequest.objects.waiting().count() == 1


def test_admins_see_the_waiting_request_on_video_calls_and_cancel_it(ada_browser, without_roles):
    connect_access_policy(ada_browser, without_roles)
    page = ada_browser.get(VIDEO_CALLS)
    cancel = reverse("teams-request-cancel", args=[only_request().pk])

    response = ada_browser.post(cancel)

    text = page_text(page)
    assert "Your Customer Success Team has to confirm the Microsoft tenant" in text
    assert "Cancel request" in text
    assert f'action="{cancel}"' in page.content.decode()
    assert response.headers["Location"] == VIDEO_CALLS
    assert shown_messages(ada_browser) == ["The request was cancelled. Nothing was connected."]
    assert "Cancel request" not in page_text(ada_browser.get(VIDEO_CALLS))


def test_a_cancelled_request_is_not_confirmed(maple, ada, olive, ada_browser):
    request = make_connection_request(ada)
    ada_browser.post(reverse("teams-request-cancel", args=[request.pk]))

    with pytest.raises(NotWaiting):
        confirm_request(request.pk, olive)


def test_another_organisations_request_does_not_exist(maple, ada, otto_browser):
    request = make_connection_request(ada)

    assert otto_browser.get(reverse("teams-request", args=[request.pk])).status_code == 404
    assert otto_browser.post(reverse("teams-request-cancel", args=[request.pk])).status_code == 404
    assert only_request().state == "waiting"


def test_a_request_expires_after_seven_days_and_the_admins_get_an_email(maple, ada):
    make_connection_request(ada)
    expire_requests()
    too_early = only_request().state
    grow_old()

    expire_requests()
    expire_requests()

    [message] = emails_to(ada.email)
    assert (too_early, only_request().state) == ("waiting", "expired")
    assert message.subject == "The request to connect Microsoft Teams has expired"


def test_a_request_that_cannot_expire_does_not_stop_the_others(maple, ada, monkeypatch):
    cedar = make_organization("Cedar Bank", addons=TEAMS_ADDONS)
    broken = make_connection_request(ada)
    other = make_connection_request(make_member(cedar, "Otto Keller", Role.ADMIN))
    grow_old()

    def fail_for_one(request: ConnectionRequest) -> None:
        if request == broken:
            raise ValueError("poisoned")
        request_emails.email_outcome(request)

    monkeypatch.setattr(requests, "email_outcome", fail_for_one)

    expire_requests()

    stored = dict(ConnectionRequest.objects.values_list("pk", "state"))
    assert stored == {broken.pk: "waiting", other.pk: "expired"}


def test_an_expired_request_is_not_confirmed_even_before_beat_has_marked_it(maple, ada, olive):
    request = make_connection_request(ada)
    grow_old()

    with pytest.raises(NotWaiting):
        confirm_request(request.pk, olive)


def test_an_expired_request_does_not_block_a_new_one(ada_browser, without_roles):
    connect_access_policy(ada_browser, without_roles)
    grow_old()

    connect_access_policy(ada_browser, without_roles)

    states = ConnectionRequest.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["expired", "waiting"]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("confirmed", "This request was confirmed."),
        ("declined", "This request was declined."),
        ("cancelled", "This request was cancelled."),
        ("expired", "This request has expired."),
    ],
)
def test_the_page_of_an_ended_request_says_how_it_ended(ada_browser, ada, state, sentence):
    request = make_connection_request(ada, state=state, decided_at=timezone.now())

    assert sentence in page_text(ada_browser.get(reverse("teams-request", args=[request.pk])))

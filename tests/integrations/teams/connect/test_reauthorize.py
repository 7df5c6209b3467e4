"""Reauthorize: a new sign-in for the same row, or a refusal that changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client

from integrations.connections.lifecycle import require_reauthorization
from integrations.event_text import event_text
from integrations.hosting.eligibility import Hosting
from integrations.meetings.requests import request_meeting
from integrations.models import (
    Connection,
    ConnectionStatus,
    EventKind,
    Meeting,
    RematchState,
    RematchTrigger,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in as login
from integrations.teams.entra import user_tokens
from integrations.teams.entra.token_responses import DELEGATED_PERMISSIONS, Tokens
from integrations.teams.models import ConnectionRequest, TeamsConnection
from simulator import people
from simulator.people import CONTOSO_ID, FABRIKAM_ID
from tests.factories import TEAMS_ADDONS, make_match, make_member, make_organization
from tests.integrations.teams.oauth_steps import (
    accept,
    answer_last_questions,
    connect_access_policy,
    consent,
    microsoft_address,
    shown_messages,
)
from tests.messages import message

NOON = datetime(2099, 3, 2, 12, tzinfo=UTC)
NOTHING_CHANGED = "Nothing was changed. You can start again."


@pytest.fixture
def maple(db):
    return make_organization(addons=TEAMS_ADDONS)


@pytest.fixture
def by_account(ada_browser, simulator, only_connection):
    """A connection by service account."""
    upn_page = ada_browser.get("/settings/video-calls/new/teams/service-account/").headers["Location"]
    address = answer_last_questions(ada_browser, upn_page)
    ada_browser.get(accept(simulator.browser(), address, people.SERVICE_ACCOUNT))
    shown_messages(ada_browser)
    return only_connection()


@pytest.fixture
def by_policy(ada_browser, simulator, only_connection):
    """A connection by access policy."""
    connect_access_policy(ada_browser, simulator)
    shown_messages(ada_browser)
    return only_connection()


def page_of(connection) -> str:
    return f"/settings/video-calls/teams/{connection.pk}/reauthorize/"


def start(browser: Client, connection, tenant: str = CONTOSO_ID) -> str:
    return microsoft_address(browser.post(page_of(connection), {"tenant": tenant}))


def sign_in(simulator, address: str, upn: str) -> str:
    """Sign in at Microsoft, which knows the account already. Return the callback address."""
    microsoft = simulator.browser()
    microsoft.open(address)
    microsoft.submit(loginfmt=upn)
    if not microsoft.is_back:
        microsoft.submit(decision="accept")
    assert microsoft.is_back, microsoft.page.text
    return str(microsoft.page.headers["Location"])


def break_it(connection) -> None:
    require_reauthorization(Connection.objects.filter(pk=connection.pk), message("Microsoft ended the sign-in."))


def unchanged(connection) -> bool:
    row = TeamsConnection.objects.get(connection=connection)
    before: TeamsConnection = connection.teams
    return (row.token_version, row.tokens) == (before.token_version, before.tokens)


# --- The page -------------------------------------------------------------------------------------------


def test_the_page_names_the_service_account(ada_browser, by_account):
    page = unescape(ada_browser.get(page_of(by_account)).content.decode())

    assert "<strong>Coconut Meetings</strong> (coconut-meetings@contoso.example)" in page
    assert "Azure Tenant ID" in page
    assert "Start Reauthorization" in page


def test_the_page_names_the_application_the_policy_and_the_roles(ada_browser, by_policy, settings):
    page = ada_browser.get(page_of(by_policy)).content.decode()

    for sentence in (
        settings.MICROSOFT_CLIENT_ID,
        "Application Access Policy (AAP)",
        "Privileged Role Administrator or Global Administrator",
    ):
        assert sentence in page


def test_the_actions_menu_leads_to_the_page(ada_browser, by_account):
    response = ada_browser.get(f"/settings/video-calls/{by_account.pk}/reauthorize/")

    assert response.headers["Location"] == page_of(by_account)


def test_another_tenant_is_refused_before_the_sign_in(ada_browser, by_account):
    response = ada_browser.post(page_of(by_account), {"tenant": FABRIKAM_ID})

    (sentence,) = response.context["form"].errors["tenant"]
    assert sentence.startswith("This connection belongs to the tenant Contoso.")


@pytest.mark.parametrize("typed", ["", "contoso", "ada@contoso.example", "nobody.example", "\x00"])
def test_a_malformed_tenant_is_refused_and_stays_in_the_form(ada_browser, by_account, typed):
    response = ada_browser.post(page_of(by_account), {"tenant": typed})

    form = response.context["form"]
    assert (response.status_code, len(form.errors["tenant"])) == (200, 1)
    assert form["tenant"].value() == typed


def test_a_disconnected_connection_is_connected_again_instead(ada_browser, by_account):
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    response = ada_browser.get(page_of(by_account))

    assert response.headers["Location"] == "/settings/video-calls/"
    assert shown_messages(ada_browser) == ["Microsoft Teams is disconnected. Connect it again instead."]


# --- By service account ---------------------------------------------------------------------------------


def test_microsoft_requests_a_new_sign_in_of_the_account(ada_browser, simulator, by_account):
    address = start(ada_browser, by_account)

    assert "prompt=login" in address
    assert "login_hint=coconut-meetings%40contoso.example" in address


def test_the_same_row_gets_new_tokens(ada_browser, simulator, by_account, only_connection):
    break_it(by_account)

    response = ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    after = only_connection()
    assert response.headers["Location"] == f"/settings/video-calls/{by_account.pk}/"
    assert shown_messages(ada_browser) == ["Microsoft Teams is reauthorized."]
    assert (after.pk, after.status, str(after.status_reason)) == (by_account.pk, "connected", "")
    assert after.teams.token_version == by_account.teams.token_version + 1
    assert user_tokens.access_token(after)


def test_a_healthy_connection_can_be_reauthorized(ada_browser, simulator, by_account, only_connection):
    ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    assert only_connection().teams.token_version == by_account.teams.token_version + 1


def test_the_event_names_the_admin(ada_browser, ada, simulator, by_account):
    ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    event = by_account.events.get(kind=EventKind.REAUTHORIZED)
    assert (event.actor, event_text(event)) == (ada, "Microsoft Teams was reauthorized.")


def test_another_account_is_refused_by_name(ada_browser, simulator, by_account):
    response = ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.ORDINARY_USER))

    assert response.headers["Location"] == page_of(by_account)
    (sentence,) = shown_messages(ada_browser)
    assert sentence == (
        "You signed in as uma@contoso.example, but the meetings belong to coconut-meetings@contoso.example. Start "
        "again and sign in to Microsoft as coconut-meetings@contoso.example. To use another account, connect it with "
        f"+ New. {NOTHING_CHANGED}"
    )
    assert unchanged(by_account)


def test_cancel_leads_back_to_the_page_with_a_sentence(ada_browser, simulator, by_account):
    simulator.control("revoke-consent")
    microsoft = simulator.browser()
    microsoft.open(start(ada_browser, by_account))
    microsoft.submit(loginfmt=people.SERVICE_ACCOUNT)
    microsoft.submit(decision="cancel")

    response = ada_browser.get(microsoft.page.headers["Location"])

    assert response.headers["Location"] == page_of(by_account)
    (sentence,) = shown_messages(ada_browser)
    assert sentence.endswith(NOTHING_CHANGED)
    assert unchanged(by_account)


def test_all_staff_are_rematched_from_the_start(ada_browser, simulator, by_account):
    run = by_account.rematch_runs.get()
    run.cursor = 7
    run.save()

    ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    run.refresh_from_db()
    assert (run.state, run.cursor, run.trigger) == (RematchState.RUNNING, 0, RematchTrigger.REAUTHORIZED)


def test_waiting_meetings_become_due_and_links_stay(ada_browser, simulator, maple, by_account):
    waiting, ready = booked(by_account, maple), booked(by_account, maple)
    Meeting.objects.filter(pk=waiting.pk).update(error_kind=ErrorKind.CONNECTION, due_at=NOON)
    Meeting.objects.filter(pk=ready.pk).update(
        join_url="https://teams.example/l/1", remote_id="1", synced_version=1, due_at=None
    )

    ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    assert Meeting.objects.due().filter(pk=waiting.pk).exists()
    assert Meeting.objects.get(pk=ready.pk).join_url == "https://teams.example/l/1"


def booked(connection, organization) -> Meeting:
    host = make_member(organization, f"{uuid4().hex[:8]} Okafor")
    match = make_match(connection, host)
    return request_meeting(
        host=host,
        hosting=Hosting(host.pk, connection, match),
        subject="Mortgage review",
        starts_at=NOON,
        ends_at=NOON.replace(hour=13),
    )


def test_a_disconnect_during_the_sign_in_wins(ada_browser, simulator, by_account):
    address = start(ada_browser, by_account)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    ada_browser.get(sign_in(simulator, address, people.SERVICE_ACCOUNT))

    assert shown_messages(ada_browser) == ["Microsoft Teams is disconnected. Connect it again instead."]
    assert Connection.objects.get().status == ConnectionStatus.DISCONNECTED
    assert unchanged(by_account)


def test_the_add_on_is_not_required(ada_browser, simulator, maple, by_account, only_connection):
    maple.addons = []
    maple.save()

    ada_browser.get(sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT))

    assert only_connection().teams.token_version == by_account.teams.token_version + 1


def test_a_refresh_in_flight_does_not_overwrite_the_new_sign_in(
    ada_browser, simulator, by_account, only_connection, monkeypatch
):
    way_back = sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT)
    first = user_tokens.access_token(by_account)
    real_refresh = login.refresh_tokens

    def slow(tenant_id, refresh_token):
        monkeypatch.setattr(login, "refresh_tokens", real_refresh)
        ada_browser.get(way_back)
        return Tokens("stale", 9e9, "stale", DELEGATED_PERMISSIONS)

    monkeypatch.setattr(login, "refresh_tokens", slow)
    used = user_tokens.access_token(by_account, refused=first)

    assert only_connection().teams.tokens["access_token"] == used != "stale"


def test_a_refusal_in_flight_does_not_undo_the_new_sign_in(
    ada_browser, simulator, by_account, only_connection, monkeypatch
):
    way_back = sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT)
    first = user_tokens.access_token(by_account)
    real_refresh = login.refresh_tokens

    def refused(tenant_id, refresh_token):
        monkeypatch.setattr(login, "refresh_tokens", real_refresh)
        ada_browser.get(way_back)
        raise PlatformError(ErrorKind.CONNECTION, message("Microsoft ended the sign-in."))

    monkeypatch.setattr(login, "refresh_tokens", refused)
    user_tokens.access_token(by_account, refused=first)

    assert only_connection().status == "connected"


# --- By access policy -----------------------------------------------------------------------------------


def test_consent_is_requested_again_and_any_administrator_may_give_it(
    ada_browser, simulator, by_policy, only_connection
):
    break_it(by_policy)

    response = consent(ada_browser, simulator, start(ada_browser, by_policy), people.PRIVILEGED_ADMIN)

    after = only_connection()
    assert response.headers["Location"] == f"/settings/video-calls/{by_policy.pk}/"
    assert shown_messages(ada_browser) == ["Microsoft Teams is reauthorized."]
    assert (after.status, after.teams.account_upn) == ("connected", people.PRIVILEGED_ADMIN)
    assert after.teams.token_version == by_policy.teams.token_version + 1


def test_an_ordinary_employee_is_refused(ada_browser, simulator, by_policy):
    microsoft = simulator.browser()
    proof = ada_browser.get(accept(microsoft, start(ada_browser, by_policy))).headers["Location"]
    stranger = simulator.browser()

    response = ada_browser.get(accept(stranger, proof, people.ORDINARY_USER))

    assert response.headers["Location"] == page_of(by_policy)
    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith(f"{people.ORDINARY_USER} is no administrator who may consent")
    assert unchanged(by_policy)


def test_without_the_add_on_the_connection_works_and_can_be_reauthorized(
    ada_browser, simulator, maple, by_policy, only_connection
):
    maple.addons = ["teams"]
    maple.save()

    token = user_tokens.access_token(by_policy)
    consent(ada_browser, simulator, start(ada_browser, by_policy))

    assert simulator.graph(token, "GET", "/users?$top=1").status_code == 200
    assert shown_messages(ada_browser) == ["Microsoft Teams is reauthorized."]
    assert only_connection().teams.token_version == by_policy.teams.token_version + 1


def test_unknown_roles_are_noted_and_need_no_confirmation(ada_browser, simulator, by_policy):
    simulator.control("fault", kind="no_wids")

    consent(ada_browser, simulator, start(ada_browser, by_policy))

    noted = by_policy.events.get(kind=EventKind.NOTED)
    assert shown_messages(ada_browser) == ["Microsoft Teams is reauthorized."]
    assert event_text(noted) == (
        f"Microsoft did not say which administrator roles {people.GLOBAL_ADMIN} has; the sign-in to the tenant was "
        "accepted as proof."
    )
    assert not ConnectionRequest.objects.exists()


def test_a_tenant_connected_elsewhere_with_unknown_roles_is_refused(ada_browser, simulator, by_policy):
    cedar = make_organization("Cedar Bank", addons=TEAMS_ADDONS)
    otto = Client(headers={"host": "localhost:8000"})
    otto.force_login(make_member(cedar, "Otto Keller", "admin"))
    connect_access_policy(otto, simulator)
    simulator.control("fault", kind="id_token", without=["wids"])

    consent(ada_browser, simulator, start(ada_browser, by_policy))

    (sentence,) = shown_messages(ada_browser)
    assert sentence.startswith("Microsoft does not say whether")
    assert unchanged(by_policy)


# --- Other people's -------------------------------------------------------------------------------------


def test_another_session_cannot_finish_the_sign_in(ada_browser, simulator, by_account):
    cedar = make_organization("Cedar Bank")
    otto = Client(headers={"host": "localhost:8000"})
    otto.force_login(make_member(cedar, "Otto Keller", "admin"))
    returned = sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT)

    otto.get(returned)

    assert shown_messages(otto) == [
        "This way back from Microsoft was used before, or belongs to a sign-in that was not started here. Start again."
    ]
    assert unchanged(by_account)


def test_a_former_admin_cannot_finish_the_sign_in(ada_browser, ada, simulator, by_account):
    returned = sign_in(simulator, start(ada_browser, by_account), people.SERVICE_ACCOUNT)
    ada.role = "staff"
    ada.save()

    # The change of role has ended the session.
    assert ada_browser.get(returned).headers["Location"].startswith("/sign-in/")
    assert unchanged(by_account)

"""Check connection against the simulated Microsoft 365."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.models import Connection, ConnectionStatus, HostPause, UserMatch
from integrations.platforms.base import VideoPlatform
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import StepOutcome
from integrations.teams.entra import sign_in
from integrations.teams.entra.token_responses import Tokens
from integrations.teams.models import Method, TeamsConnection
from integrations.teams.platform import Teams
from simulator import people
from tests.factories import make_connection, make_match, make_member
from tests.messages import message
from tests.outbox import send_all

TEAMS: VideoPlatform = Teams()
OK, FAILED, NOT_TRIED = StepOutcome.OK, StepOutcome.FAILED, StepOutcome.NOT_TRIED
STEPS = [
    "Coconut's own registration",
    "Sign-in at Microsoft",
    "Permissions",
    "Service account",
    "Microsoft Teams licence",
    "Looking up users",
    "Teams meetings",
]


@pytest.fixture
def connected(maple, settings, simulator):
    """A service account connection of Maple, with tokens of the simulator."""
    settings.MICROSOFT_READ_TIMEOUT_SECONDS = 2.0
    simulator.control("consent", user=people.SERVICE_ACCOUNT)
    issued = simulator.control("token", user=people.SERVICE_ACCOUNT)
    connection = make_connection(maple, account_oid=simulator.person(people.SERVICE_ACCOUNT)["id"])
    change(connection, tokens={**connection.teams.tokens, **issued})
    return connection


@pytest.fixture
def by_policy(connected, simulator):
    """The same connection by access policy, with consent and a global policy."""
    simulator.control("consent")
    simulator.control("policy")
    change(connected, method=Method.ACCESS_POLICY, tokens={}, granted=[])
    return connected


@pytest.fixture
def sam(by_policy, simulator):
    """Sam, with a match."""
    member = make_member(by_policy.organization)
    return make_match(by_policy, member, remote_id=simulator.person("sam@maple.example")["id"])


def change(connection, **fields) -> None:
    for name, value in fields.items():
        setattr(connection.teams, name, value)
    connection.teams.save()


def outcomes(connection) -> list[tuple[str, StepOutcome]]:
    return [(str(step.name), step.outcome) for step in TEAMS.check(connection)]


def failed(connection):
    """Return the failed step, and reload the connection."""
    (step,) = [step for step in TEAMS.check(connection) if step.outcome == FAILED]
    connection.refresh_from_db()
    return step


def up_to(name: str) -> list[tuple[str, StepOutcome]]:
    """Return the outcomes of a service account's steps if this one fails."""
    position = STEPS.index(name)
    return [
        (step, OK if number < position else FAILED if number == position else NOT_TRIED)
        for number, step in enumerate(STEPS)
    ]


# --- all is well ------------------------------------------------------------------------------------


def test_a_working_service_account_passes_every_step(connected):
    assert outcomes(connected) == [(step, OK) for step in STEPS]


def test_each_step_says_what_was_found(connected):
    sentences = [str(step.message) for step in TEAMS.check(connected)]

    assert sentences == [
        "Coconut has an app registration for Microsoft.",
        "Microsoft has just renewed it.",
        "Granted: User.Read, User.ReadBasic.All, OnlineMeetings.ReadWrite.",
        people.SERVICE_ACCOUNT,
        "The service account has a Microsoft Teams licence.",
        "Microsoft lets Coconut look up users.",
        "Microsoft lets Coconut look up the service account's meetings.",
    ]


def test_a_working_access_policy_passes_every_step(by_policy, sam):
    steps = list(TEAMS.check(by_policy))

    assert [(str(step.name), step.outcome) for step in steps] == [
        (step, OK) for step in STEPS if step not in ("Service account", "Microsoft Teams licence")
    ]
    assert str(steps[2].message) == "Granted: OnlineMeetings.ReadWrite.All, User.Read.All."
    assert str(steps[-1].message) == "Microsoft lets Coconut look up the meetings of Sam Okafor."


def test_the_sign_in_is_refreshed_even_if_it_is_valid(connected):
    before = connected.teams.tokens["access_token"]

    list(TEAMS.check(connected))

    assert TeamsConnection.objects.get().tokens["access_token"] != before


def test_a_success_is_recorded_on_the_connection(connected):
    list(TEAMS.check(connected))

    connected.refresh_from_db()
    assert connected.last_success_at is not None


def test_nothing_is_created_or_changed(by_policy, sam, simulator):
    list(TEAMS.check(by_policy))

    log = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"]
    assert {entry["method"] for entry in log if entry["service"] == "graph"} == {"GET"}
    assert simulator.state("meetings") == []


# --- the step that fails ----------------------------------------------------------------------------


def test_without_an_app_registration_nothing_else_is_tried(connected, settings):
    settings.MICROSOFT_CLIENT_ID = ""

    assert outcomes(connected) == up_to("Coconut's own registration")


def test_a_revoked_sign_in_fails_and_needs_an_admin(connected, simulator):
    simulator.control("refresh-tokens", how="revoked")

    found = outcomes(connected)

    connected.refresh_from_db()
    assert found == up_to("Sign-in at Microsoft")
    assert connected.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_a_connection_that_needs_an_admin_shows_the_stored_reason(connected, simulator):
    connected.status, connected.status_reason = (
        ConnectionStatus.NEEDS_REAUTHORIZATION,
        message("The password expired."),
    )
    connected.save()

    step = failed(connected)

    assert (str(step.name), str(step.message)) == ("Sign-in at Microsoft", "The password expired.")


def test_refused_app_credentials_are_ours_and_the_connection_stays_connected(connected, simulator):
    simulator.control("fault", kind="secret_expired")

    step = failed(connected)

    assert str(step.name) == "Sign-in at Microsoft"
    assert str(step.message).startswith("Microsoft does not accept Coconut's own credentials.")
    assert (connected.status, connected.trouble_kind) == (ConnectionStatus.CONNECTED, ErrorKind.OPERATOR)


def test_an_outage_of_microsofts_sign_in_leaves_the_connection_connected(connected, simulator):
    simulator.control("fault", kind="entra_down")

    step = failed(connected)

    assert (str(step.name), connected.status) == ("Sign-in at Microsoft", ConnectionStatus.CONNECTED)
    assert connected.trouble_kind == ErrorKind.OUTAGE


def test_an_ongoing_outage_keeps_its_start(connected, simulator):
    simulator.control("fault", kind="graph_down")
    began = timezone.now() - timedelta(hours=1)
    outage_error = {
        "trouble_kind": ErrorKind.OUTAGE,
        "trouble": message("No answer."),
        "trouble_since": began,
    }
    Connection.objects.update(**outage_error, consecutive_failures=["one", "two"])

    step = failed(connected)

    assert str(step.name) == "Service account"
    assert (connected.trouble_since, connected.consecutive_failures) == (began, ["one", "two"])


def test_a_withdrawn_consent_fails_and_needs_an_admin(connected, simulator):
    simulator.control("revoke-consent", user=people.SERVICE_ACCOUNT)

    step = failed(connected)

    assert (str(step.name), connected.status) == (
        "Sign-in at Microsoft",
        ConnectionStatus.NEEDS_REAUTHORIZATION,
    )
    assert str(step.message) == (
        "The consent to Coconut's permissions was taken back at Microsoft. Use Reauthorize. Microsoft's error code: "
        "AADSTS65001."
    )


def test_a_missing_service_principal_is_for_an_admin_and_not_for_operators(by_policy, simulator, mailoutbox):
    body = json.dumps({"error": "invalid_client", "error_codes": [7000229], "trace_id": "a-trace"})
    simulator.control("fault", kind="raw", regex="/token$", status=401, body=body)

    step = failed(by_policy)

    assert str(step.message) == (
        "Coconut was removed or switched off in your Microsoft tenant. Ask a Microsoft 365 administrator to allow it "
        "under Enterprise applications. Then use Reauthorize. Microsoft's error code: AADSTS7000229."
    )
    assert (by_policy.status, step.request_id) == (ConnectionStatus.NEEDS_REAUTHORIZATION, "a-trace")
    send_all()
    assert ["olive@operator.example"] not in [mail.to for mail in mailoutbox]


def test_a_missing_permission_is_named_and_needs_an_admin(connected, monkeypatch):
    less = Tokens("a-token", time.time() + 3600, "a-refresh-token", ("User.Read", "User.ReadBasic.All"))
    monkeypatch.setattr(sign_in, "refresh_tokens", lambda *asked: less)

    step = failed(connected)

    assert str(step.name) == "Permissions"
    assert str(step.message).startswith("Microsoft does not grant OnlineMeetings.ReadWrite. An admin chooses")
    assert (connected.status, str(connected.status_reason)) == (
        ConnectionStatus.NEEDS_REAUTHORIZATION,
        str(step.message),
    )


def test_a_refused_user_lookup_fails_and_needs_an_admin(connected, simulator):
    simulator.control("fault", kind="forbidden", regex="/users")

    step = failed(connected)

    assert (str(step.name), connected.status) == ("Looking up users", ConnectionStatus.NEEDS_REAUTHORIZATION)
    assert step.request_id != ""


def test_a_refused_meeting_lookup_fails(connected, simulator):
    simulator.control("fault", kind="forbidden", regex="/onlineMeetings")

    found = outcomes(connected)

    assert found == up_to("Teams meetings")


def test_throttling_pauses_the_connection(connected, simulator):
    simulator.control("fault", kind="throttle", service="graph", retry_after=40)

    step = failed(connected)

    assert str(step.name) == "Service account"
    assert connected.paused_until > datetime.now(UTC)


def test_a_limit_of_one_organizer_pauses_only_that_organizer(by_policy, sam, simulator):
    simulator.control("fault", kind="throttle", regex="onlineMeetings", retry_after=40)

    step = failed(by_policy)

    by_policy.refresh_from_db()
    assert "Microsoft asked Coconut to wait" in str(step.message)
    assert (by_policy.paused_until, HostPause.objects.get().organizer_id) == (None, sam.remote_id)


def test_a_profile_of_another_account_fails(connected):
    change(connected, account_oid="another")

    step = failed(connected)

    assert str(step.name) == "Service account"
    assert "Check again later" in str(step.message)


# --- the service account ----------------------------------------------------------------------------


def test_a_missing_licence_is_a_warning_and_the_later_steps_are_tried(connected, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=False)

    steps = list(TEAMS.check(connected))

    assert [step.outcome for step in steps] == [OK, OK, OK, OK, StepOutcome.WARNING, OK, OK]
    assert str(steps[4].message).startswith(f"Microsoft shows no Microsoft Teams licence for {people.SERVICE_ACCOUNT}")


def test_an_unreadable_licence_is_a_warning_and_the_connection_stays_connected(connected, simulator):
    simulator.control("fault", kind="forbidden", regex="/licenseDetails")

    steps = list(TEAMS.check(connected))

    connected.refresh_from_db()
    assert (steps[4].outcome, connected.status) == (StepOutcome.WARNING, ConnectionStatus.CONNECTED)
    assert str(steps[4].message).startswith("Microsoft does not let Coconut see whether")


def test_an_account_that_became_a_guest_fails(connected, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, guest=True)

    step = failed(connected)

    assert str(step.name) == "Service account"
    assert str(step.message).startswith(f"{people.SERVICE_ACCOUNT} is a guest in this Microsoft tenant")


def test_the_new_names_of_the_account_are_stored(connected, simulator):
    simulator.control("person", user=people.SERVICE_ACCOUNT, upn="rooms@contoso.example", name="Meeting Rooms")

    steps = list(TEAMS.check(connected))

    shown = TEAMS.account(Connection.objects.get())
    assert (shown.name, shown.user_name) == ("Meeting Rooms", "rooms@contoso.example")
    assert str(steps[3].message) == "rooms@contoso.example"


# --- access policy ----------------------------------------------------------------------------------


def test_missing_roles_are_named_one_by_one(by_policy, simulator):
    TeamsConnection.objects.update(consented_at=datetime(2026, 1, 1, tzinfo=UTC))
    simulator.control("consent", roles=["User.Read.All"])

    step = failed(by_policy)

    assert str(step.name) == "Sign-in at Microsoft"
    assert "OnlineMeetings.ReadWrite.All" in str(step.message)
    assert "User.Read.All" not in str(step.message)
    assert by_policy.status == ConnectionStatus.NEEDS_REAUTHORIZATION


def test_a_person_without_policy_is_named_and_the_connection_stays_connected(by_policy, sam, simulator):
    simulator.control("policy", clear=True)

    step = failed(by_policy)

    assert str(step.name) == "Teams meetings"
    assert str(step.message).startswith("Sam Okafor: No Application Access Policy lets Coconut make meetings")
    assert by_policy.status == ConnectionStatus.CONNECTED


def test_without_a_match_the_meetings_step_is_not_tried(by_policy):
    step = list(TEAMS.check(by_policy))[-1]

    assert (step.outcome, str(step.message)) == (
        NOT_TRIED,
        "Nobody is matched yet, so there is nobody whose meetings could be looked up.",
    )


def test_a_malformed_object_id_is_never_sent(by_policy, sam):
    UserMatch.objects.update(remote_id="'/me?$filter=")

    step = failed(by_policy)

    assert (str(step.name), by_policy.status) == ("Teams meetings", ConnectionStatus.CONNECTED)

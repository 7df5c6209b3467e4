"""Page Health and history: health, failed links, settings and events."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.circuit_breaker import record_success, record_trouble
from integrations.connections.health import health_of
from integrations.connections.lifecycle import require_reauthorization
from integrations.event_text import event_text
from integrations.events import record_event
from integrations.models import (
    Connection,
    ConnectionEvent,
    ConnectionStatus,
    EventKind,
    Finding,
    FindingKind,
    HostPermission,
    Meeting,
    MeetingState,
    Reconciliation,
    RematchRun,
    RematchTrigger,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from services.models import MeetingMethod
from tests.factories import (
    make_appointment,
    make_client,
    make_connection,
    make_match,
    make_member,
    make_organization,
    make_service,
)
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]

STARTS = datetime(2099, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def connected(maple):
    return make_connection(maple)


def fail(connected: Connection, host, *, subject="Mortgage review", starts_at=STARTS, **fields) -> Meeting:
    """Add a failed meeting of one hour."""
    fields = {
        "error_kind": ErrorKind.PERSON,
        "error": message("This person has no licence. Assign one, then choose Try again."),
        "error_request_id": "599d9cb0-56ac-4dc5-b6f8-1456a1414609",
        **fields,
    }
    return Meeting.objects.create(
        organization=connected.organization,
        connection=connected,
        host=host,
        organizer_id="an-oid",
        subject=subject,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        **fields,
    )


def page_address(connected: Connection, **query: object) -> str:
    return reverse("connection-health", args=[connected.pk], query=query or None)


def read(browser: Browser, address: str) -> str:
    response = browser.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def section(html: str, heading: str) -> str:
    """Return the text of the section with this heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}"[^>]*>(.*?)</section>', html, re.DOTALL)
    assert found is not None, heading
    return text_of(found[1])


def try_again(browser: Browser, connected: Connection, **data: object) -> str:
    response = browser.post(reverse("connection-try-again", args=[connected.pk]), data, follow=True)
    return text_of(response.content.decode())


# --- Health -----------------------------------------------------------------------------------------


def test_the_dashboard_links_to_the_page(browser, connected):
    html = read(browser, reverse("connection", args=[connected.pk]))

    assert f'<a href="{page_address(connected)}">Health and history</a>' in html


def test_a_healthy_connection_shows_the_time_of_the_last_response(browser, connected):
    Connection.objects.update(last_success_at=timezone.now() - timedelta(minutes=5))

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert shown.startswith("Health Connected Microsoft Teams last answered 5 minutes ago.")


def test_a_response_within_this_minute_is_shown_as_such(browser, connected):
    record_success(connected.pk)

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert shown.startswith("Health Connected Microsoft Teams has just answered.")


def test_an_unused_connection_is_shown_as_such(browser, connected):
    shown = section(read(browser, page_address(connected)), "health-heading")

    assert shown.startswith("Health Connected Microsoft Teams was not asked for anything yet.")


def test_a_refused_sign_in_is_shown_with_its_reason(browser, connected):
    require_reauthorization(Connection.objects.all(), message("The password has expired. Use Reauthorize."))

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert shown.startswith("Health Needs reauthorization The password has expired. Use Reauthorize.")


def test_a_pause_requested_by_the_platform_is_shown_with_its_end(browser, connected):
    Connection.objects.update(paused_until=timezone.now() + timedelta(days=400))

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert shown.startswith("Health Connected, but waiting Microsoft Teams asked Coconut to wait until")
    assert "Paused until" in shown


def test_a_pause_in_the_past_is_not_shown(browser, connected):
    Connection.objects.update(paused_until=timezone.now() - timedelta(seconds=1))

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert "Paused until" not in shown
    assert shown.startswith("Health Connected Microsoft Teams")


def test_refused_credentials_of_ours_are_shown_as_ours(browser, connected):
    refused = PlatformError(ErrorKind.OPERATOR, message("Coconut's own credentials are refused."))
    record_trouble(connected.pk, refused)

    line = text_of(read(browser, reverse("connection", args=[connected.pk])))

    connected.refresh_from_db()
    assert connected.status == ConnectionStatus.CONNECTED
    assert "Connected, but waiting" in line
    assert "Coconut&#x27;s own credentials are refused. Appointments can be booked;" in line


def test_trouble_of_a_call_that_ends_after_a_disconnect_is_not_recorded(connected):
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    record_trouble(connected.pk, PlatformError(ErrorKind.OUTAGE, message("No answer.")))

    connected.refresh_from_db()
    assert connected.trouble_kind == ""


def test_trouble_ends_with_the_next_success(connected):
    record_success(connected.pk)
    record_trouble(connected.pk, PlatformError(ErrorKind.OUTAGE, message("Not reached.")))

    record_success(connected.pk)

    connected.refresh_from_db()
    assert (connected.trouble_kind, str(connected.trouble), connected.trouble_since) == ("", "", None)


def test_the_line_shows_the_next_attempt_during_an_outage(connected):
    record_trouble(connected.pk, PlatformError(ErrorKind.OUTAGE, message("Not reached.")))
    Connection.objects.update(probe_at=STARTS)
    connected.refresh_from_db()

    assert health_of(connected).sentence.endswith("Not reached. The next try is at 2 Mar, 15:00.")


def test_the_first_of_several_failures_sets_the_start_of_the_trouble(connected):
    record_trouble(connected.pk, PlatformError(ErrorKind.OUTAGE, message("Not reached.")))
    Connection.objects.update(trouble_since=STARTS)

    record_trouble(connected.pk, PlatformError(ErrorKind.OUTAGE, message("Not reached again.")))

    connected.refresh_from_db()
    assert (str(connected.trouble), connected.trouble_since) == ("Not reached.", STARTS)


@pytest.mark.parametrize("kind", sorted(set(ErrorKind) - {ErrorKind.OUTAGE, ErrorKind.OPERATOR}))
def test_failures_shown_elsewhere_are_not_trouble_of_the_connection(connected, kind):
    record_trouble(connected.pk, PlatformError(kind, message("Something else.")))

    connected.refresh_from_db()
    assert connected.trouble_kind == ""


def test_work_under_way_is_counted(browser, connected, sam):
    fail(connected, sam, error_kind="", due_at=timezone.now())
    RematchRun.objects.create(connection=connected, trigger=RematchTrigger.ADMIN, total=12_000, done=4_500)

    shown = section(read(browser, page_address(connected)), "health-heading")

    assert "Work under way 1 meeting, a rematch (4,500 of 12,000 users)" in shown


# --- Failed links -----------------------------------------------------------------------------------


def test_a_failed_link_is_shown_with_remedy_and_request_id(browser, connected, sam):
    make_match(connected, sam)
    fail(connected, sam)

    shown = section(read(browser, page_address(connected)), "failed-heading")

    assert shown.endswith(
        "Mortgage review Mon 2 Mar 2099, 15:00 Sam Okafor No link "
        "This person has no licence. Assign one, then choose Try again. "
        "Request id, for support: 599d9cb0-56ac-4dc5-b6f8-1456a1414609 Try again"
    )


def test_a_failed_link_leads_to_its_appointment(browser, connected, maple, sam):
    meeting = fail(connected, sam)
    service = make_service(maple, provided_by=(sam,))
    booked = make_appointment(service, sam, make_client(maple), STARTS, meeting=meeting, method=MeetingMethod.VIDEO)

    html = read(browser, page_address(connected))

    assert f'<a href="{reverse("appointment", args=[booked.pk])}">Mortgage review for Cleo Brandt</a>' in html


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "No link"),
        ({"join_url": "https://meet.example/1"}, "Last change refused"),
        ({"desired_state": "absent", "remote_id": "remote-1"}, "Not deleted"),
    ],
)
def test_the_failed_operation_is_named(browser, connected, sam, fields, what):
    fail(connected, sam, **fields)

    shown = section(read(browser, page_address(connected)), "failed-heading")

    assert what in shown


def test_the_next_appointment_comes_first(browser, connected, sam):
    fail(connected, sam, subject="Later", starts_at=STARTS + timedelta(days=1))
    fail(connected, sam, subject="Sooner")

    shown = section(read(browser, page_address(connected)), "failed-heading")

    assert shown.index("Sooner") < shown.index("Later")


def test_past_appointments_are_left_out(browser, connected, sam):
    fail(connected, sam, starts_at=timezone.now() - timedelta(days=1))

    shown = section(read(browser, page_address(connected)), "failed-heading")

    assert shown == "Failed links No appointment to come has a failed link."


def test_another_connections_failures_are_not_listed(browser, connected, maple, sam):
    other = make_connection(maple, account_oid="another", name="Second", is_default=False)
    fail(other, sam)

    shown = section(read(browser, page_address(connected)), "failed-heading")

    assert shown == "Failed links No appointment to come has a failed link."


def test_one_link_can_be_retried(browser, connected, sam):
    chosen, other = fail(connected, sam), fail(connected, sam, subject="Other")

    shown = try_again(browser, connected, meeting=chosen.pk)

    chosen.refresh_from_db()
    other.refresh_from_db()
    assert "1 link is being tried again." in shown
    assert (chosen.state, other.state) == (MeetingState.PENDING, MeetingState.FAILED)


def test_all_links_can_be_retried(browser, connected, ada, sam):
    fail(connected, sam)
    fail(connected, sam, subject="Other")

    shown = try_again(browser, connected)

    assert "2 links are being tried again." in shown
    assert list(Meeting.objects.failed()) == []
    event = ConnectionEvent.objects.get()
    assert (event.kind, event.actor, event_text(event)) == (
        EventKind.LINKS_RETRIED,
        ada,
        "2 failed links are tried again.",
    )


def test_a_retry_before_reauthorizing_waits_with_a_sentence(browser, connected, sam):
    fail(connected, sam)
    require_reauthorization(Connection.objects.all(), message("The password has expired. Use Reauthorize."))

    shown = try_again(browser, connected)

    assert "1 link is being tried again. That begins once the connection is reauthorized." in shown


@pytest.mark.parametrize("meeting", ["", "\x00", "nothing", "9" * 5000, str(uuid.uuid4())])
def test_a_retry_of_an_unknown_link_gets_a_sentence(browser, connected, sam, meeting):
    fail(connected, sam)

    shown = try_again(browser, connected, meeting=meeting)

    assert "There is nothing that could be tried again." in shown
    assert Meeting.objects.failed().count() == 1


def test_a_meeting_of_another_organisation_cannot_be_retried(browser, connected):
    cedar = make_organization("Cedar Bank")
    theirs = fail(make_connection(cedar, account_oid="theirs"), make_member(cedar, "Otto Keller"))

    shown = try_again(browser, connected, meeting=theirs.pk)

    assert "There is nothing that could be tried again." in shown
    assert list(Meeting.objects.failed()) == [theirs]


def test_links_of_a_disconnected_connection_are_not_retried(browser, connected, sam):
    fail(connected, sam)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    html = read(browser, page_address(connected))
    shown = try_again(browser, connected)

    assert "Try again</button>" not in html
    assert "There is nothing that could be tried again." in shown
    assert Meeting.objects.failed().count() == 1


def test_people_without_permission_have_one_script_here_too(browser, connected, sam, fake_teams):
    fake_teams.needs_permission_probe = True
    make_match(connected, sam, host_permission=HostPermission.DENIED)

    html = read(browser, page_address(connected))

    assert f'<a href="{reverse("connection-script", args=[connected.pk])}">One script for all' in html


# --- Settings ---------------------------------------------------------------------------------------


def save_settings(browser: Browser, connected: Connection, **data: str) -> str:
    response = browser.post(reverse("connection-settings", args=[connected.pk]), data, follow=True)
    return text_of(response.content.decode())


def test_a_setting_is_stored_and_recorded(browser, connected, ada, fake_teams):
    shown = save_settings(browser, connected, music="jazz")

    event = ConnectionEvent.objects.get()
    assert fake_teams.music == "jazz"
    assert "Saved." in shown
    assert (event.kind, event.actor, event_text(event)) == (EventKind.SETTINGS_CHANGED, ada, "Music: jazz.")


def test_saving_an_unchanged_setting_records_no_event(browser, connected):
    shown = save_settings(browser, connected, music="none")

    assert "Saved." in shown
    assert list(ConnectionEvent.objects.all()) == []


@pytest.mark.parametrize("music", ["", "\x00", "9" * 5000, "polka"])
def test_an_invalid_choice_is_refused_next_to_the_field(browser, connected, fake_teams, music):
    response = browser.post(reverse("connection-settings", args=[connected.pk]), {"music": music})

    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"music"}
    assert fake_teams.music == "none"


def test_a_disconnected_connection_has_no_settings(browser, connected, fake_teams):
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    html = read(browser, page_address(connected))
    shown = save_settings(browser, connected, music="jazz")

    assert "settings-heading" not in html
    assert "Nothing can be chosen for a connection that is disconnected." in shown
    assert fake_teams.music == "none"


# --- History ----------------------------------------------------------------------------------------


def test_the_history_shows_actor_event_and_time(browser, connected, ada):
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    ConnectionEvent.objects.create(
        connection=connected, kind=EventKind.TURNED_ON, actor=ada, params={"count": 212}, at=at
    )
    record_event(connected, EventKind.TOKEN_REFUSED, None, reason="The password has expired.")

    shown = section(read(browser, page_address(connected)), "history-heading")

    assert "2 Jan 2026, 03:04 Ada Lovell Video Calls turned on Video Calls was turned on for 212" in shown
    assert "Coconut Sign-in refused by the platform The password has expired." in shown


def test_the_latest_is_first(browser, connected):
    record_event(connected, EventKind.CONNECTED, None)
    record_event(connected, EventKind.REMATCHED, None)

    shown = section(read(browser, page_address(connected)), "history-heading")

    assert shown.index("Rematched") < shown.index("Connected")


def test_user_input_is_escaped(browser, connected):
    record_event(connected, EventKind.RENAMED, None, old="<b>bold</b>", new="Branches")

    assert "&lt;b&gt;bold&lt;/b&gt;" in read(browser, page_address(connected))


def test_another_connections_history_is_not_shown(browser, connected, maple):
    other = make_connection(maple, account_oid="another", name="Second", is_default=False)
    record_event(other, EventKind.REMATCHED, None)

    shown = section(read(browser, page_address(connected)), "history-heading")

    assert "Nothing has happened yet." in shown


def test_the_history_has_pages(browser, connected):
    ConnectionEvent.objects.bulk_create(
        ConnectionEvent(connection=connected, kind=EventKind.LINKS_RETRIED, params={"count": number})
        for number in range(60)
    )

    shown = section(read(browser, page_address(connected, page=3)), "history-heading")

    assert "51–60 of 60" in shown
    assert shown.count("Noted") == 10


@pytest.mark.parametrize("value", ["\x00", "-1", "0", "9" * 40, "x", "💥"])
def test_invalid_parameters_still_show_a_page(browser, connected, sam, value):
    fail(connected, sam)
    record_event(connected, EventKind.CONNECTED, None)

    html = read(browser, page_address(connected, page=value, rows=value, failed=value))

    assert "Mortgage review" in section(html, "failed-heading")
    assert "1–1 of 1" in section(html, "history-heading")


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_the_same_queries_for_one_row_and_for_three(
    browser, connected, maple, sam, rows, django_assert_num_queries
):
    service = make_service(maple, provided_by=(sam,))
    for number in range(rows):
        host = make_member(maple, f"Host{number} Okafor")
        meeting = fail(connected, host)
        make_appointment(service, host, make_client(maple, email=f"cleo{number}@example.com"), STARTS, meeting=meeting)
        record_event(connected, EventKind.LINKS_RETRIED, host, count=1)
        Finding.objects.create(connection=connected, meeting=meeting, kind=FindingKind.RECREATED)
    Reconciliation.objects.create(connection=connected, finished_at=timezone.now())

    with django_assert_num_queries(22):
        read(browser, page_address(connected))


# --- Access ---------------------------------------------------------------------------------------


def test_staff_read_that_the_page_is_for_admins(client, connected, sam):
    client.force_login(sam)

    response = client.get(page_address(connected))

    assert response.status_code == 403
    assert "Only admins can open this page." in response.content.decode()

"""Failed links, and the reasons why Try again would not help."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from integrations.models import Connection, ConnectionStatus, DesiredState, DirectoryState, Meeting
from integrations.platforms.failures import ErrorKind
from staff.models import Organization, StaffMember, VideoChoice
from tests.factories import (
    make_appointment,
    make_client,
    make_connection,
    make_match,
    make_member,
    make_service,
)
from tests.integrations.pages import messages_of, page_text
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]

STARTS = datetime(2099, 3, 2, 15, tzinfo=UTC)
AGAIN = "1 link is being tried again."


def fail(connection: Connection, host: StaffMember, **fields: Any) -> Meeting:
    """Return a failed meeting of an appointment."""
    meeting = Meeting.objects.create(
        **{
            "organization": connection.organization,
            "connection": connection,
            "host": host,
            "organizer_id": "x",
            "subject": "Mortgage review",
            "starts_at": STARTS,
            "ends_at": STARTS + timedelta(hours=1),
            "error_kind": ErrorKind.PERSON,
            "error": message("No licence. Assign one, then choose Try again."),
            **fields,
        }
    )
    service = make_service(connection.organization, f"Service for {host.username}")
    client = make_client(connection.organization, email=f"{host.username}@example.com")
    make_appointment(service, host, client, STARTS, meeting=meeting)
    return meeting


def listed(browser: Browser, connection: Connection) -> str:
    text = page_text(browser.get(reverse("connection-health", args=[connection.pk])))
    return text.split("Failed links")[1].split("History")[0]


def try_again(browser: Browser, connection: Connection, **form: Any) -> list[str]:
    return messages_of(browser.post(reverse("connection-try-again", args=[connection.pk]), form))


def test_a_host_who_cannot_host_is_listed_with_the_reason(
    as_ada: Browser, connection: Connection, sam: StaffMember
) -> None:
    make_match(connection, sam)
    meeting = fail(connection, sam)

    assert "No licence. Assign one, then choose Try again. Try again" in listed(as_ada, connection)
    assert try_again(as_ada, connection, meeting=meeting.pk) == [AGAIN]


def test_an_unmatched_host_is_named_with_a_link_to_the_row(
    as_ada: Browser, connection: Connection, sam: StaffMember
) -> None:
    make_match(connection, sam, directory=DirectoryState.UNMATCHED)
    fail(connection, sam)

    assert "Sam Okafor: Not matched with a user of Microsoft Teams. See why" in listed(as_ada, connection)
    warning = "Not everybody can host there now, so that links may fail again."
    reason = "Sam Okafor: Not matched with a user of Microsoft Teams."
    assert try_again(as_ada, connection) == [AGAIN, f"{warning} {reason}"]


def test_a_booked_meeting_gets_its_link_although_video_calls_is_off(
    as_ada: Browser, connection: Connection, sam: StaffMember
) -> None:
    make_match(connection, sam, enabled=False)
    fail(connection, sam)

    assert "Sam Okafor:" not in listed(as_ada, connection)
    assert try_again(as_ada, connection) == [AGAIN]


def test_a_host_with_a_personal_link_is_offered_a_link_there(
    as_ada: Browser, connection: Connection, sam: StaffMember
) -> None:
    fail(connection, sam)
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.save()

    html = as_ada.get(reverse("connection-health", args=[connection.pk])).content.decode()

    assert "Sam Okafor: Hosts on a personal link now. Create links" in listed(as_ada, connection)
    assert f'href="{reverse("video-links")}?staff={sam.pk}">Create links</a>' in html
    assert "Sam Okafor: Hosts on a personal link now." in try_again(as_ada, connection)[1]


def test_two_hosts_with_the_same_name_have_a_reason_each(
    as_ada: Browser, maple: Organization, connection: Connection, sam: StaffMember
) -> None:
    other = make_connection(maple, is_default=False, account_oid="2")
    namesake = make_member(maple, "Sam Okafor", email="sam2@maple.example", username="sam2")
    for host in (sam, namesake):
        fail(connection, host)
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    namesake.video_choice, namesake.video_connection = VideoChoice.CONNECTION, other
    for host in (sam, namesake):
        host.save()

    sentences = " ".join(try_again(as_ada, connection))

    assert "Sam Okafor: Hosts on a personal link now." in sentences
    assert "Sam Okafor: Hosts on Microsoft Teams 2 now." in sentences


def test_a_host_on_another_connection_is_offered_a_replacement_of_a_working_link(
    as_ada: Browser, maple: Organization, connection: Connection, sam: StaffMember
) -> None:
    fail(connection, sam, join_url="https://meet.example/1")
    other = make_connection(maple, is_default=False, account_oid="2")
    sam.video_choice, sam.video_connection = VideoChoice.CONNECTION, other
    sam.save()

    html = as_ada.get(reverse("connection-health", args=[connection.pk])).content.decode()

    assert "Sam Okafor: Hosts on Microsoft Teams 2 now. Replace links" in listed(as_ada, connection)
    assert f'href="{reverse("video-links")}?staff={sam.pk}&amp;show=other">Replace links</a>' in html


def test_deleting_a_meeting_needs_no_host(as_ada: Browser, connection: Connection, sam: StaffMember) -> None:
    fail(connection, sam, desired_state=DesiredState.ABSENT)

    assert "Sam Okafor:" not in listed(as_ada, connection)
    assert try_again(as_ada, connection) == [AGAIN]


def test_only_a_few_of_many_hosts_are_named(as_ada: Browser, maple: Organization, connection: Connection) -> None:
    for name in ("Abe", "Bea", "Cy", "Dee", "Eve"):
        member = make_member(maple, name)
        make_match(connection, member, directory=DirectoryState.UNMATCHED)
        fail(connection, member)

    sentence = try_again(as_ada, connection)[1]

    assert sentence.endswith("Cy: Not matched with a user of Microsoft Teams. And 2 more people.")
    assert "Dee" not in sentence


@pytest.mark.parametrize("is_live", [True, False])
def test_the_dashboard_counts_failed_links(
    as_ada: Browser, connection: Connection, sam: StaffMember, is_live: bool
) -> None:
    fail(connection, sam)
    if not is_live:
        Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    html = as_ada.get(reverse("connection", args=[connection.pk])).content.decode()

    health = reverse("connection-health", args=[connection.pk])
    assert f'href="{health}#failed">1 failed link</a>' in html


def test_the_list_of_integrations_counts_failed_links_of_each_connection(
    as_ada: Browser, maple: Organization, connection: Connection, sam: StaffMember
) -> None:
    fail(connection, sam)
    make_connection(maple, is_default=False, account_oid="2")

    text = page_text(as_ada.get(reverse("video-calls-all")))

    assert "Connected 1 failed link" in text
    assert text.count("failed link") == 1


def test_the_dashboard_does_not_count_past_meetings(as_ada: Browser, connection: Connection, sam: StaffMember) -> None:
    fail(connection, sam, starts_at=STARTS.replace(year=2020), ends_at=STARTS.replace(year=2020, hour=16))

    assert "failed link" not in page_text(as_ada.get(reverse("connection", args=[connection.pk])))

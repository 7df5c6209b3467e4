"""Admin pages of connections and meetings, for operators."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, ConnectionEvent, EventKind, Meeting
from tests.factories import make_connection, make_member, make_operator, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Browser) -> Browser:
    client.force_login(make_operator())
    return client


def make_meeting(connection: Connection, name: str = "Sam Okafor") -> Meeting:
    now = timezone.now()
    return Meeting.objects.create(
        organization=connection.organization,
        connection=connection,
        host=make_member(connection.organization, name),
        organizer_id="an-organizer",
        subject="Mortgage review with Cleo Brandt",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        join_url="https://teams.microsoft.com/l/meetup-join/secret-link",
        error_request_id="a-request-id",
    )


def test_a_connection_is_shown_with_its_history(operator: Browser) -> None:
    connection = make_connection(make_organization())
    ConnectionEvent.objects.create(
        connection=connection, kind=EventKind.CONNECTED, params={"name": "by Ada Lovell", "is_default": False}
    )

    page = operator.get(reverse("admin:integrations_connection_change", args=[connection.pk]))

    assert "by Ada Lovell" in page.content.decode()


def test_join_links_and_subjects_are_not_shown(operator: Browser) -> None:
    meeting = make_meeting(make_connection(make_organization()))

    text = operator.get(reverse("admin:integrations_meeting_change", args=[meeting.pk])).content.decode()

    assert "a-request-id" in text
    assert "secret-link" not in text
    assert "Cleo" not in text


@pytest.mark.parametrize("sought", ["a-request-id", "sam@maple.example", "Maple", "the id"])
def test_a_meeting_is_found_by_what_users_report(operator: Browser, sought: str) -> None:
    meeting = make_meeting(make_connection(make_organization()))
    sought = str(meeting.pk) if sought == "the id" else sought

    answer = operator.get(reverse("admin:integrations_meeting_changelist"), {"q": sought})

    assert list(answer.context["cl"].result_list) == [meeting]


def test_meetings_are_filtered_by_their_derived_state(operator: Browser) -> None:
    meeting = make_meeting(make_connection(make_organization()))
    url = reverse("admin:integrations_meeting_changelist")

    ready = operator.get(url, {"state": "ready"}).context["cl"].result_list
    failed = operator.get(url, {"state": "failed"}).context["cl"].result_list

    assert (list(ready), list(failed)) == ([meeting], [])


@pytest.mark.parametrize("model", ["connection", "meeting"])
@pytest.mark.parametrize("what", ["change", "delete"])
def test_operators_change_nothing(operator: Browser, model: str, what: str) -> None:
    connection = make_connection(make_organization())
    pk = connection.pk if model == "connection" else make_meeting(connection).pk

    answer = operator.post(reverse(f"admin:integrations_{model}_{what}", args=[pk]), {"post": "yes"})

    assert answer.status_code == 403


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_of_meetings_takes_the_same_number_of_queries(
    operator: Browser, how_many: int, django_assert_num_queries
) -> None:
    connection = make_connection(make_organization())
    for number in range(how_many):
        make_meeting(connection, f"Person{number} Example")

    # Session, operator, how many are found, the page.
    with django_assert_num_queries(5):
        operator.get(reverse("admin:integrations_meeting_changelist"))

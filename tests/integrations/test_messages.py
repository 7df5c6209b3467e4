"""Messages are stored as code and parameters, and rendered when they are read."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from integrations.connections.health import health_of
from integrations.messages import Message, NeutralMessage
from integrations.models import Connection, ConnectionStatus
from tests.factories import make_connection, make_operator
from tests.messages import ExampleMessage, message

GREETING = Message(ExampleMessage.GREETING, {"name": "Ada"})


@pytest.fixture
def refused(maple) -> Connection:
    """A connection that needs to be reauthorized because of GREETING."""
    return make_connection(
        maple, status=ConnectionStatus.NEEDS_REAUTHORIZATION, status_reason=GREETING, trouble=Message()
    )


def test_a_stored_reason_is_rendered_in_the_readers_language(refused):
    stored = Connection.objects.get()

    english = health_of(stored).sentence
    with translation.override("fr"):
        french = health_of(stored).sentence

    assert (english, french) == ("Hello, Ada.", "Bonjour, Ada.")


def test_logs_stay_in_english():
    with translation.override("fr"):
        assert GREETING.in_english() == "Hello, Ada."


def test_the_database_holds_code_and_parameters_only(refused):
    assert Connection.objects.filter(
        status_reason={"code": "example.greeting", "params": {"name": "Ada"}}, trouble={}
    ).exists()
    assert Connection.objects.get().status_reason == GREETING
    assert not Connection.objects.get().trouble


def test_lists_and_messages_can_be_parameters():
    properties = [Message(NeutralMessage.START).as_json(), Message(NeutralMessage.END).as_json()]

    restored = Message(NeutralMessage.RESTORED, {"platform": "Meet Example", "differences": properties})

    assert str(restored) == "Someone had changed the meeting in Meet Example (start, end): it was put back."


def test_a_percent_sign_in_a_parameter_is_shown_as_it_is():
    assert str(message("100% of 5%(x)s")) == "100% of 5%(x)s"


@pytest.mark.parametrize(
    "stored", [Message("of.a.later.version"), Message(ExampleMessage.GREETING, {"renamed": "Ada"})]
)
@pytest.mark.parametrize("page", ["connection", "connection-health"])
def test_a_message_of_another_version_does_not_break_a_page(as_ada, refused, stored, page):
    Connection.objects.update(status_reason=stored)

    response = as_ada.get(reverse(page, args=[refused.pk]))

    assert "The reason cannot be shown." in response.content.decode()


def test_the_admin_shows_the_sentence(client: Client, refused):
    client.force_login(make_operator())

    page = client.get(reverse("admin:integrations_connection_change", args=[refused.pk]))

    assert "Hello, Ada." in page.content.decode()

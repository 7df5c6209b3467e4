"""Events of connections in the audit log."""

from __future__ import annotations

import pytest
from django.urls import reverse

from coconut.database.append_only import erasing
from integrations.audit import CONNECTION_CHANGED
from integrations.connections.defaults import rename_connection
from integrations.events import record_event
from integrations.models import EventKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from tests.audit_log import entry_of, event_of, events_of
from tests.factories import make_connection

pytestmark = pytest.mark.usefixtures("fake_teams")


def test_a_change_of_a_connection_is_in_the_audit_log(ada, maple):
    connection = make_connection(maple)

    rename_connection(connection, "Branches", ada)

    event, entry = event_of(CONNECTION_CHANGED), entry_of(CONNECTION_CHANGED)
    assert (event.organization, event.actor, event.subject_id) == (maple, ada, connection.pk)
    assert event.params == {"event": connection.events.get().pk}
    assert entry.details == "Settings changed. Microsoft Teams is called Branches now."
    assert entry.page == reverse("connection-health", args=[connection.pk])


def test_a_disconnect_on_the_page_has_the_clients_address(as_ada, maple):
    connection = make_connection(maple)

    as_ada.post(reverse("connection-disconnect", args=[connection.pk]))

    assert event_of(CONNECTION_CHANGED).address == "127.0.0.1"


@pytest.mark.parametrize("kind", [EventKind.REMATCHED, EventKind.RECONCILED, EventKind.CHECKED])
def test_routine_work_on_a_connection_is_not_in_the_audit_log(kind, maple):
    record_event(make_connection(maple), kind, None)

    assert events_of(CONNECTION_CHANGED) == []


def test_an_entry_whose_details_were_erased_is_still_shown(maple, ada):
    rename_connection(make_connection(maple), "Branches", ada)
    with erasing():
        AuditEvent.objects.update(params={})

    entry = entry_of(CONNECTION_CHANGED)

    assert (entry.subject, entry.details) == ("Microsoft Teams", "")


@pytest.mark.parametrize("rows", [2, 9])
def test_the_entries_take_a_constant_number_of_queries(rows, maple, django_assert_num_queries):
    connection = make_connection(maple)
    for number in range(rows):
        record_event(connection, EventKind.RENAMED, None, old=str(number), new=str(number + 1))
    events = events_of(CONNECTION_CHANGED)

    with django_assert_num_queries(1):
        entries_of(events)

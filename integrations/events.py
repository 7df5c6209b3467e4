"""Record what happened to a connection, and email its admins. `integrations.event_text` renders the entries."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from integrations.audit import record_connection_event
from integrations.messages import Message
from integrations.models import Connection, ConnectionEvent, EventKind
from staff.models import StaffMember
from staff.outbox import EmailKind, enqueue_email


def record_event(connection: Connection, kind: EventKind, actor: StaffMember | None, **params: Any) -> ConnectionEvent:
    """Add an entry to the connection's audit trail, and to the audit log if it is about access or settings.

    `actor` is None if Coconut acted automatically. `params` are the facts that `integrations.event_text` needs for this
    kind, as JSON values or messages.
    """
    params = {name: param.as_json() if isinstance(param, Message) else param for name, param in params.items()}
    with transaction.atomic(savepoint=False):
        event = ConnectionEvent.objects.create(connection=connection, kind=kind, actor=actor, params=params)
        record_connection_event(event)
    return event


def email_admins(connection: Connection, kind: EmailKind, **params: Any) -> None:
    """Enqueue an email to the organisation's admins, in the caller's transaction."""
    enqueue_email(
        kind,
        to=StaffMember.objects.admins_of(connection.organization_id).values_list("email", flat=True),
        params={"connection": connection.pk, **params},
        organization=connection.organization,
    )


def connection_link(connection: Connection) -> str:
    """Return the absolute URL of the connection's dashboard."""
    return f"{settings.BASE_URL}{reverse('connection', args=[connection.pk])}"

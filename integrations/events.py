"""Audit trail of connections, and the public address of a dashboard."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from integrations.models import (
    Connection,
    ConnectionEvent,
    EventKind,
)
from staff.models import Organization, Role, StaffMember


def note_event(
    connection: Connection, kind: EventKind, actor: StaffMember | None, detail: str = ""
) -> ConnectionEvent:
    """Add one line to the audit trail."""
    return ConnectionEvent.objects.create(connection=connection, kind=kind, actor=actor, detail=detail[:500])


def admins_of(organization: Organization) -> QuerySet[StaffMember]:
    """The organisation's admins who can sign in."""
    return StaffMember.objects.filter(organization=organization, role=Role.ADMIN, is_active=True)


def connection_link(connection: Connection) -> str:
    """The public address of a connection's dashboard."""
    return f"{settings.BASE_URL}{reverse('connection', args=[connection.pk])}"

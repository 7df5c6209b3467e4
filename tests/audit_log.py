"""Read the audit log in tests."""

from __future__ import annotations

from staff.audit_log.kinds import AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import Entry, entries_of


def events_of(kind: AuditKind) -> list[AuditEvent]:
    """Return the events of one kind, oldest first."""
    return list(AuditEvent.objects.filter(kind=kind.name).order_by("pk"))


def event_of(kind: AuditKind) -> AuditEvent:
    """Return the only event of a kind."""
    (event,) = events_of(kind)
    return event


def entry_of(kind: AuditKind) -> Entry:
    """Return the only event of a kind as people read it."""
    (entry,) = entries_of(events_of(kind))
    return entry

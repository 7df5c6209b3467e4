"""Events of connections in the organisation's audit log.

The log's entry refers to the row of the connection's own trail, which holds the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext_lazy as _

from integrations.event_text import event_text
from integrations.models import ConnectionEvent, EventKind
from staff.audit_log.kinds import AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.record import record

# Changes of access and settings. The others report work on meetings and matches.
_AUDITED: Final = frozenset(
    {
        EventKind.CONNECTED,
        EventKind.REAUTHORIZED,
        EventKind.DISCONNECTED,
        EventKind.MADE_DEFAULT,
        EventKind.MOVED_TO_DEFAULT,
        EventKind.RENAMED,
        EventKind.TURNED_ON,
        EventKind.TURNED_OFF,
        EventKind.FIELD_CHANGED,
        EventKind.PERMISSION_REPORTED,
        EventKind.SETTINGS_CHANGED,
        EventKind.NOTED,
        EventKind.TOKEN_REFUSED,
    }
)


def _describe(entries: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the kind and the sentences of each event of a connection, if it is still there."""
    keys = {entry.pk: entry.params.get("event") for entry in entries}
    events = ConnectionEvent.objects.select_related("connection").in_bulk([key for key in keys.values() if key])
    return {pk: _sentences(events[key]) for pk, key in keys.items() if key in events}


def _sentences(event: ConnectionEvent) -> str:
    return f"{EventKind(event.kind).label}. {event_text(event)}".strip()


CONNECTION_CHANGED: Final = AuditKind(
    "connection_changed", _("Video connection changed"), page="connection-health", describe=_describe
)


def record_connection_event(event: ConnectionEvent) -> None:
    """Refer to a connection's event in the audit log, if it is about access or settings."""
    if event.kind in _AUDITED:
        connection = event.connection
        record(CONNECTION_CHANGED, connection, actor=event.actor, name=connection.name, params={"event": event.pk})

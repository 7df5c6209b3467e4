"""The audit trail of a connection, a page at a time."""

from __future__ import annotations

from django.db.models import QuerySet

from integrations.models import Connection, ConnectionEvent


def events_of(connection: Connection) -> QuerySet[ConnectionEvent]:
    """What happened, the latest first, with who did it: in a query of its own, so that the index alone is walked."""
    return connection.events.prefetch_related("actor")

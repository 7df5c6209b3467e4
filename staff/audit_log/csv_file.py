"""CSV file of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from coconut.csv_export import csv_lines
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import Entry, entries_of

CHUNK_SIZE = 1000


def audit_file(events: QuerySet[AuditEvent], zone: ZoneInfo) -> Iterator[str]:
    """Return the lines of the file, with times in `zone`. Streams the events from the database."""
    heading = [_("Time"), _("Person"), _("Event"), _("About"), _("Details"), _("IP address")]
    return csv_lines(heading, _rows(events, zone))


def _rows(events: QuerySet[AuditEvent], zone: ZoneInfo) -> Iterator[list[str]]:
    stream = events.iterator(chunk_size=CHUNK_SIZE)
    while chunk := list(islice(stream, CHUNK_SIZE)):
        for entry in entries_of(chunk):
            yield _cells(entry, zone)


def _cells(entry: Entry, zone: ZoneInfo) -> list[str]:
    at = entry.event.at.astimezone(zone).isoformat(timespec="seconds")
    return [at, entry.actor, entry.kind, entry.subject, entry.details, entry.event.address]

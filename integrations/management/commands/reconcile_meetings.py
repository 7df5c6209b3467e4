"""`manage.py reconcile_meetings`: run the nightly reconciliation now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from integrations.hooks import notices_of
from integrations.meetings.reconciliation import healthy, reconcile, to_read_for_day, to_read_for_week
from integrations.meetings.reconciliation_report import finish_reconciliations, meetings_to_read, summary
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection
from staff.models import Organization


class Command(BaseCommand):
    help = (
        "Compares meetings with the video platform and with their appointments, and fixes what does not agree. "
        "A meeting is read at most twice, a week and a day before its start, however often this runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only this organisation's connections")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done, without calls")

    def handle(self, *args: Any, **options: Any) -> None:
        connections = _connections(options["organization"])
        if not connections:
            self.stdout.write("There is no connection that works.")
        for connection in connections:
            result = _preview(connection) if options["dry_run"] else _reconcile(connection)
            self.stdout.write(f"{connection.organization.name}, {connection.name}: {result}")
        for organization in dict.fromkeys(connection.organization for connection in connections):
            for notice in notices_of(organization):
                self.stdout.write(f"{organization.name}: {notice.sentence}")


def _connections(slug: str | None) -> QuerySet[Connection]:
    if slug is None:
        return healthy()
    if not Organization.objects.filter(slug=slug).exists():
        raise CommandError(f"There is no organisation “{slug}”. Give the slug that its booking address ends with.")
    return healthy().filter(organization__slug=slug)


def _reconcile(connection: Connection) -> str:
    """Reconcile, and sync the meetings as workers do. Postponed meetings stay with the workers."""
    run = reconcile(connection)
    for meeting_id in meetings_to_read(run).filter(due_at__isnull=False).values_list("pk", flat=True):
        sync_meeting(meeting_id)
    finish_reconciliations()
    run.refresh_from_db()
    if run.finished_at is None:
        return f"{summary(run)} Some have no answer yet; Health and history says what comes of them."
    return summary(run)


def _preview(connection: Connection) -> str:
    """Return what a reconciliation would do without calls, then roll it back."""
    with transaction.atomic():
        to_read = to_read_for_day(connection).count() + to_read_for_week(connection).count()
        run = reconcile(connection)
        findings = connection.findings.filter(at__gte=run.started_at)
        sentences = [f"{to_read} would be read.", *(str(finding.message) for finding in findings)]
        transaction.set_rollback(True)
    return " ".join(sentences)

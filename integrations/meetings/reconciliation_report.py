"""Results of reconciliations: counts, findings, and a summary for admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from coconut.isolation import isolated
from integrations.event_text import reconciliation_summary
from integrations.events import record_event
from integrations.hooks import MeetingPage, pages_of
from integrations.messages import Message
from integrations.models import Connection, EventKind, Finding, FindingKind, Meeting, Reconciliation
from integrations.models.meetings import MeetingQuerySet
from integrations.platforms.registry import platform_of

# A reconciliation ends after this time even if meetings are still due. The next night starts another one.
_MAX_DURATION: Final = timedelta(hours=20)
RECENT: Final = timedelta(days=30)
_FINDINGS_SHOWN: Final = 10


@dataclass(frozen=True)
class FindingRow:
    """A finding, and the page that the meeting was made for, or None if there is no such page any more."""

    finding: Finding
    page: MeetingPage | None

    @property
    def name(self) -> str:
        return self.page.label if self.page is not None else self.finding.meeting.subject


@dataclass(frozen=True)
class ReconciliationReport:
    """The last reconciliation or None, the number of meetings that it waits for, and recent findings."""

    run: Reconciliation | None
    summary: str
    waiting: int
    findings: list[FindingRow]


def report_of(connection: Connection) -> ReconciliationReport:
    """Return the report for the health page. At most four queries for any number of findings."""
    run = latest_reconciliation(connection)
    if run is None:
        return ReconciliationReport(None, "", 0, [])
    waiting = 0 if run.finished_at else count_waiting(run)
    run.connection = connection
    findings = list(recent_findings(connection)[:_FINDINGS_SHOWN])
    pages = pages_of([finding.meeting_id for finding in findings]) if findings else {}
    rows = [FindingRow(finding, pages.get(finding.meeting_id)) for finding in findings]
    return ReconciliationReport(run, summary(run), waiting, rows)


def finish_reconciliations() -> int:
    """Finish the reconciliations that wait for no meeting any more, and return their number. Beat calls it."""
    finished = 0
    for run in Reconciliation.objects.unfinished().select_related("connection"):
        with isolated(f"Finishing reconciliation {run.pk}"):
            is_old = Reconciliation.objects.filter(pk=run.pk, started_at__lt=Now() - _MAX_DURATION).exists()
            if is_old or not count_waiting(run):
                finished += finish(run)
    return finished


def count_waiting(run: Reconciliation) -> int:
    """Return the number of meetings that haven't been read yet."""
    return meetings_to_read(run).filter(due_at__isnull=False).count()


@transaction.atomic
def finish(run: Reconciliation) -> bool:
    """Store the counts. Return False if another worker did.

    The connection's history gets an event only if there was a finding or a failure.
    """
    failed = meetings_to_read(run).failed()
    most_common = failed.values_list("error").annotate(how_often=Count("pk")).order_by("-how_often").first()
    counts = _findings_of(run).aggregate(
        recreated=Count("pk", filter=Q(kind=FindingKind.RECREATED)),
        restored=Count("pk", filter=Q(kind=FindingKind.RESTORED)),
    )
    finished = Reconciliation.objects.unfinished().filter(pk=run.pk)
    reason = most_common[0] if most_common else Message()
    if not finished.update(finished_at=Now(), failed=failed.count(), reason=reason, **counts):
        return False
    run.refresh_from_db()
    if run.recreated or run.restored or run.repaired or run.failed:
        record_event(run.connection, EventKind.RECONCILED, None, **_event_params(run))
    return True


def meetings_to_read(run: Reconciliation) -> MeetingQuerySet:
    """Return the meetings whose reads the reconciliation scheduled."""
    is_scheduled = Q(week_check_at__gte=run.started_at) | Q(day_check_at__gte=run.started_at)
    return Meeting.objects.filter(is_scheduled, connection=run.connection_id)


def _findings_of(run: Reconciliation) -> QuerySet[Finding]:
    return Finding.objects.filter(connection=run.connection_id, at__gte=run.started_at)


def latest_reconciliation(connection: Connection) -> Reconciliation | None:
    """Return the last reconciliation, finished or not."""
    return connection.reconciliations.first()


def recent_findings(connection: Connection) -> QuerySet[Finding]:
    """Return the findings of the last 30 days with their meetings, latest first."""
    return connection.findings.filter(at__gte=Now() - RECENT).select_related("meeting")


def summary(run: Reconciliation) -> str:
    """Return one sentence for each kind of result."""
    return reconciliation_summary(platform_of(run.connection).label, _event_params(run))


def _event_params(run: Reconciliation) -> dict[str, Any]:
    names = ("inspected", "recreated", "restored", "repaired", "failed", "reason")
    return {name: getattr(run, name) for name in names}

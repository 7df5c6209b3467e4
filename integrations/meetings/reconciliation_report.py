"""What a reconciliation came to: counted when the last meeting has its answer, and said in a sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import ngettext

from integrations.events import note_event
from integrations.models import Connection, EventKind, Finding, FindingKind, Meeting, Reconciliation
from integrations.models.meetings import MeetingQuerySet
from integrations.platforms.registry import platform_of

# Whatever has no answer by then is counted as it is: the next night begins anew.
_LONGEST: Final = timedelta(hours=20)
RECENT: Final = timedelta(days=30)


def finish_reconciliations() -> int:
    """Count and note those of which nothing is under way any more; returns how many. Beat calls it."""
    finished = 0
    for run in Reconciliation.objects.unfinished().select_related("connection"):
        is_old = Reconciliation.objects.filter(pk=run.pk, started_at__lt=Now() - _LONGEST).exists()
        if is_old or not under_way(run):
            finished += finish(run)
    return finished


def under_way(run: Reconciliation) -> int:
    """How many meetings still wait for the answer."""
    return asked_for(run).filter(due_at__isnull=False).count()


@transaction.atomic
def finish(run: Reconciliation) -> bool:
    """Write the counts down; False when somebody else did. In the history only what found something is noted."""
    failed = asked_for(run).failed()
    common = (
        failed.values_list("error_sentence").annotate(how_often=Count("pk")).order_by("-how_often").first()
    )
    counts = _findings_of(run).aggregate(
        recreated=Count("pk", filter=Q(kind=FindingKind.RECREATED)),
        restored=Count("pk", filter=Q(kind=FindingKind.RESTORED)),
    )
    finished = Reconciliation.objects.unfinished().filter(pk=run.pk)
    reason = common[0] if common else ""
    if not finished.update(finished_at=Now(), failed=failed.count(), reason=reason, **counts):
        return False
    run.refresh_from_db()
    if run.recreated or run.restored or run.repaired or run.failed:
        note_event(run.connection, EventKind.RECONCILED, None, summary(run))
    return True


def asked_for(run: Reconciliation) -> MeetingQuerySet:
    """The meetings that were to be read in it."""
    since = Q(week_check_at__gte=run.started_at) | Q(day_check_at__gte=run.started_at)
    return Meeting.objects.filter(since, connection=run.connection_id)


def _findings_of(run: Reconciliation) -> QuerySet[Finding]:
    return Finding.objects.filter(connection=run.connection_id, at__gte=run.started_at)


def latest(connection: Connection) -> Reconciliation | None:
    """The last reconciliation, finished or not."""
    return connection.reconciliations.first()


def recent_findings(connection: Connection) -> QuerySet[Finding]:
    """What did not agree lately, the latest first, with the meetings."""
    return connection.findings.filter(at__gte=Now() - RECENT).select_related("meeting")


def summary(run: Reconciliation) -> str:
    """One sentence for each thing that came of it."""
    counted = (_made_again(run.recreated), _put_back(run.restored), _mended(run.repaired))
    return " ".join(filter(None, (_compared(run), *counted, _failed(run))))


def _compared(run: Reconciliation) -> str:
    words = ngettext(
        "%(count)s meeting was compared with %(platform)s.",
        "%(count)s meetings were compared with %(platform)s.",
        run.inspected,
    )
    return words % {"count": intcomma(run.inspected), "platform": platform_of(run.connection).label}


def _made_again(number: int) -> str:
    words = ngettext(
        "%(count)s was missing there and made again.", "%(count)s were missing there and made again.", number
    )
    return _counted(number, words)


def _put_back(number: int) -> str:
    words = ngettext(
        "%(count)s had been changed there and was put back.",
        "%(count)s had been changed there and were put back.",
        number,
    )
    return _counted(number, words)


def _mended(number: int) -> str:
    words = ngettext(
        "%(count)s did not agree with its appointment: that is mended.",
        "%(count)s did not agree with their appointments: that is mended.",
        number,
    )
    return _counted(number, words)


def _failed(run: Reconciliation) -> str:
    words = ngettext(
        "%(count)s could not be compared: %(reason)s",
        "%(count)s could not be compared, most of them for this reason: %(reason)s",
        run.failed,
    )
    return _counted(run.failed, words, reason=run.reason)


def _counted(count: int, words: str, **more: str) -> str:
    return words % {"count": intcomma(count), **more} if count else ""

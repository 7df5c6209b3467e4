"""Report a rematch on pages: progress, result and changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.matching.rematch_runs import count_statuses
from integrations.models import (
    Connection,
    MatchChange,
    MatchStatus,
    RematchRun,
    RematchScope,
    RematchState,
    RematchTrigger,
)

#: Number of changes on a page. The file has all of them.
CHANGES_SHOWN = 20


@dataclass(frozen=True)
class Progress:
    """Progress of a run. `rate` is in people per second; it and `seconds_left` are None while unknown.

    `waits_until` is set during a pause, and `waits_for` has its reason.
    """

    done: int
    total: int
    rate: float | None = None
    seconds_left: int | None = None
    waits_until: datetime | None = None
    waits_for: str = ""

    @property
    def time_left(self) -> str:
        """Return a text such as "about 2 minutes left", rounded up, or "" while unknown."""
        if self.seconds_left is None:
            return ""
        if self.seconds_left < 60:
            seconds = max(self.seconds_left, 1)
            return ngettext("about %d second left", "about %d seconds left", seconds) % seconds
        minutes = ceil(self.seconds_left / 60)
        return ngettext("about %d minute left", "about %d minutes left", minutes) % minutes


@dataclass(frozen=True)
class Result:
    """Result of an ended run. `counts` are (status, people before, people after).

    `changes` are the first ones, out of `changed`.
    """

    run: RematchRun
    sentence: str
    counts: Sequence[tuple[MatchStatus, int, int]]
    changes: Sequence[MatchChange]
    changed: int

    @property
    def is_success(self) -> bool:
        return self.run.state == RematchState.SUCCEEDED

    @property
    def is_settling(self) -> bool:
        """Return whether staff still have the status Checking."""
        return any(after for status, _before, after in self.counts if status == MatchStatus.CHECKING)

    @property
    def has_settled(self) -> bool:
        """Return whether staff had the status Checking when the run ended, and none has it now."""
        return bool(self.run.counts_after.get(MatchStatus.CHECKING, 0)) and not self.is_settling

    @property
    def can_be_repeated(self) -> bool:
        """Return whether "only the failed" would look up any staff."""
        return not self.is_success or any(
            after for status, _before, after in self.counts if status != MatchStatus.MATCHED
        )


def shown_run(connection: Connection) -> RematchRun | None:
    """Return the rematch under way, or the last one unless an admin dismissed it."""
    run = RematchRun.objects.filter(connection=connection).rematches().first()
    return run if run is not None and run.dismissed_at is None else None


def shown_runs(connections: Iterable[Connection]) -> dict[int, RematchRun]:
    """Return the result of `shown_run` by connection id. One query."""
    rematches = RematchRun.objects.rematches()
    newest = rematches.filter(connection__in=connections).values("connection").annotate(newest=Max("started_at"))
    runs = rematches.filter(
        dismissed_at__isnull=True,
        started_at__in=newest.values("newest"),
        connection__in=connections,
    )
    return {run.connection_id: run for run in runs}


def progress_of(run: RematchRun) -> Progress:
    """Return the progress of a run under way. The rate is measured since the current worker's claim."""
    now = RematchRun.objects.annotate(now=Now(), paused_until=F("connection__paused_until")).values_list(
        "now", "paused_until"
    )
    moment, paused_until = now.get(pk=run.pk)
    waits_until = max(filter(None, (run.due_at if run.attempts else None, paused_until)), default=None)
    if waits_until is not None and waits_until > moment:
        return Progress(run.done, run.total, waits_until=waits_until, waits_for=str(run.error))
    rate = _rate(run, moment)
    left = None if rate is None else ceil(max(run.total - run.done, 0) / rate)
    return Progress(run.done, run.total, rate, left)


def _rate(run: RematchRun, now: datetime) -> float | None:
    worked = (now - run.claimed_at).total_seconds() if run.claimed_at is not None else 0
    people = run.done - run.claimed_done
    return people / worked if people > 0 and worked > 0 else None


def result_of(run: RematchRun) -> Result:
    """Return the result of an ended run. Two queries.

    Host permission probes may follow a run. Until they end, the counts are the present ones.
    """
    changes, after = run.changes.significant(), run.counts_after
    if after.get(MatchStatus.CHECKING, 0):
        after = count_statuses(run.connection)
    return Result(
        run,
        sentence_of(run),
        [
            (status, run.counts_before.get(status, 0), after.get(status, 0))
            for status in MatchStatus
            if status != MatchStatus.CHECKING or run.counts_before.get(status, 0) or after.get(status, 0)
        ],
        list(changes.select_related("staff")[:CHANGES_SHOWN]),
        changes.count(),
    )


def run_summary(run: RematchRun | None) -> str:
    """Return one line about the progress or the result of a rematch, or "" without one."""
    if run is None:
        return ""
    if run.is_running:
        return _("Rematch under way: %(done)d of %(total)d users.") % {"done": run.done, "total": run.total}
    return sentence_of(run)


def sentence_of(run: RematchRun) -> str:
    """Return one or two sentences about an ended rematch."""
    if run.state == RematchState.FAILED:
        return _(
            "The rematch did not finish: %(done)d of %(total)d users were looked up. %(why)s Everybody else keeps "
            "the status from before."
        ) % {"done": run.done, "total": run.total, "why": run.error}
    if run.scope == RematchScope.FAILED:
        return ngettext("%d user has been rematched.", "%d users have been rematched.", run.done) % run.done
    if run.trigger == RematchTrigger.CONNECTED:
        # "Matched" wouldn't be true for all of them.
        return _("All users have been looked up.")
    return _("All users have been rematched.")

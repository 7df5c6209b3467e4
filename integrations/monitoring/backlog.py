"""Open work on meetings, connections and rematches, as numbers for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, F, FloatField, Func, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest, Now

from integrations.models import Connection, DesiredState, HostPause, Meeting, RematchRun

#: Clients whose appointment starts within this time need the link now.
SOON: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Backlog:
    """Number of meetings by what they wait for.

    `blocked` are due on a paused or unhealthy connection; `later` have a due time in the future.
    """

    due: int
    oldest_due_seconds: float
    blocked: int
    later: int
    failed: Mapping[str, int]
    soon_without_link: int


@dataclass(frozen=True)
class RematchProgress:
    """Running rematches of all connections."""

    running: int
    people_left: int
    people_a_second: float


def oldest_due_seconds() -> float:
    """Return the longest time that a meeting has waited for a worker, or 0 if none waits. One query.

    Pauses and outages of the platform don't count: no worker can shorten them.
    """
    host_pauses = HostPause.objects.filter(connection=OuterRef("connection"), organizer_id=OuterRef("organizer_id"))
    due = Meeting.objects.due().filter(connection__probe_at__isnull=True)
    since = Greatest("due_at", "connection__paused_until", Subquery(host_pauses.values("paused_until")))
    longest = due.aggregate(age=Max(_seconds(Now() - since)))["age"]
    return 0.0 if longest is None else max(float(longest), 0.0)


def backlog() -> Backlog:
    """Return the open work. The queries read only open meetings."""
    open_meetings = Meeting.objects.filter(due_at__isnull=False)
    due = Meeting.objects.due()
    counts = open_meetings.aggregate(
        past_due_time=Count("pk", filter=Q(due_at__lte=Now())), later=Count("pk", filter=Q(due_at__gt=Now()))
    )
    due_count = due.count()
    return Backlog(
        due=due_count,
        oldest_due_seconds=oldest_due_seconds(),
        blocked=max(counts["past_due_time"] - due_count, 0),
        later=counts["later"],
        failed=_count_by("error_kind", Meeting.objects.failed().filter(ends_at__gt=Now())),
        soon_without_link=_soon_without_link(),
    )


def connections_by_status() -> dict[str, int]:
    """Return the number of connections in each status."""
    return _count_by("status", Connection.objects.all())


def blocked_connections() -> dict[str, int]:
    """Return the number of connections that can't be used at present, by cause.

    "paused": the platform asked for a pause. "down": the circuit is open. Otherwise the kind of trouble.
    """
    live = Connection.objects.live()
    paused, down = live.filter(paused_until__gt=Now()), live.filter(probe_at__isnull=False)
    return {
        "paused": paused.count(),
        "down": down.count(),
        **_count_by("trouble_kind", live.exclude(trouble_kind="")),
    }


def rematch_progress() -> RematchProgress:
    """Return the running rematches and their total speed, each since its present worker claimed it."""
    runs = RematchRun.objects.running()
    seconds_worked = _seconds(Now() - F("claimed_at"))
    rows = list(runs.annotate(worked=seconds_worked).values("total", "done", "claimed_done", "worked", "lease_token"))
    return RematchProgress(
        running=len(rows),
        people_left=sum(max(row["total"] - row["done"], 0) for row in rows),
        people_a_second=sum(_people_a_second(row) for row in rows),
    )


def _people_a_second(row: Mapping[str, Any]) -> float:
    if row["lease_token"] is None or not row["worked"]:
        return 0.0
    people: int = max(row["done"] - row["claimed_done"], 0)
    return people / float(row["worked"])


def _soon_without_link() -> int:
    soon = Q(desired_state=DesiredState.PRESENT, join_url="", starts_at__gt=Now(), starts_at__lte=Now() + SOON)
    # Two queries, as open and failed meetings have indexes of their own.
    waiting = Meeting.objects.filter(soon, due_at__isnull=False)
    return waiting.count() + Meeting.objects.failed().filter(soon).count()


def _seconds(duration: Any) -> Func:
    return Func(
        duration,
        function="EXTRACT",
        template="EXTRACT(EPOCH FROM (%(expressions)s))",
        output_field=FloatField(),
    )


def _count_by(field: str, rows: QuerySet[Any]) -> dict[str, int]:
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))

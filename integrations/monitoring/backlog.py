"""What waits to be done with meetings, connections and rematches, in numbers for whoever operates Coconut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, F, FloatField, Func, Max, Q, QuerySet
from django.db.models.functions import Greatest, Now

from integrations.models import Connection, DesiredState, Meeting, RematchRun

#: Whoever has an appointment within this time looks for the link now.
SOON: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Backlog:
    """How much waits, and for how many seconds."""

    due: int
    oldest_due_seconds: float
    blocked: int
    later: int
    failed: Mapping[str, int]
    soon_without_link: int


@dataclass(frozen=True)
class Rematching:
    """The rematches that are under way."""

    running: int
    people_left: int
    people_a_second: float


def oldest_due_seconds() -> float:
    """For how long the meeting that waits longest could have been worked on; 0 where none waits. One query.

    While a platform is down, or asked for a pause, nobody could; then it is the platform that is waited for.
    """
    due = Meeting.objects.due().filter(connection__probe_at__isnull=True)
    since = Greatest("due_at", "connection__paused_until")
    longest = due.aggregate(age=Max(_seconds(Now() - since)))["age"]
    return 0.0 if longest is None else max(float(longest), 0.0)


def backlog() -> Backlog:
    """What waits. Few queries, over what is open, not over all meetings."""
    open_ones = Meeting.objects.filter(due_at__isnull=False)
    due = Meeting.objects.due()
    unfinished = open_ones.aggregate(
        due_by_now=Count("pk", filter=Q(due_at__lte=Now())), later=Count("pk", filter=Q(due_at__gt=Now()))
    )
    how_many = due.count()
    return Backlog(
        due=how_many,
        oldest_due_seconds=oldest_due_seconds(),
        blocked=max(unfinished["due_by_now"] - how_many, 0),
        later=unfinished["later"],
        failed=_by("error_kind", Meeting.objects.failed().filter(ends_at__gt=Now())),
        soon_without_link=_soon_without_link(),
    )


def connections_by_status() -> dict[str, int]:
    """How many connections are in each status."""
    return _by("status", Connection.objects.all())


def hindered_connections() -> dict[str, int]:
    """Connections that cannot work now although their sign-in may be well, by what hinders them.

    "paused": the platform asked for it; "down": it is probed by one caller at a time; else the kind of their trouble.
    """
    live = Connection.objects.live()
    paused, down = live.filter(paused_until__gt=Now()), live.filter(probe_at__isnull=False)
    return {
        "paused": paused.count(),
        "down": down.count(),
        **_by("trouble_kind", live.exclude(trouble_kind="")),
    }


def rematching() -> Rematching:
    """The rematches under way, and how fast they are together: each from where its present worker took it up."""
    runs = RematchRun.objects.running()
    now_seconds = _seconds(Now() - F("claimed_at"))
    rows = list(
        runs.annotate(worked=now_seconds).values("total", "done", "claimed_done", "worked", "lease_token")
    )
    return Rematching(
        running=len(rows),
        people_left=sum(max(row["total"] - row["done"], 0) for row in rows),
        people_a_second=sum(_rate(row) for row in rows),
    )


def _rate(row: Mapping[str, Any]) -> float:
    if row["lease_token"] is None or not row["worked"]:
        return 0.0
    people: int = max(row["done"] - row["claimed_done"], 0)
    return people / float(row["worked"])


def _soon_without_link() -> int:
    soon = Q(
        desired_state=DesiredState.PRESENT, join_url="", starts_at__gt=Now(), starts_at__lte=Now() + SOON
    )
    # Each half by an index of its own: what is open, and what failed.
    waiting = Meeting.objects.filter(soon, due_at__isnull=False)
    return waiting.count() + Meeting.objects.failed().filter(soon).count()


def _seconds(duration: Any) -> Func:
    return Func(
        duration,
        function="EXTRACT",
        template="EXTRACT(EPOCH FROM (%(expressions)s))",
        output_field=FloatField(),
    )


def _by(field: str, rows: QuerySet[Any]) -> dict[str, int]:
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))

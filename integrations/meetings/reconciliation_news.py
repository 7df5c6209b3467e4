"""What an admin reads about the last comparison of meetings with the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from integrations.hooks import MeetingPage, pages_of
from integrations.meetings.reconciliation_report import latest, recent_findings, summary, under_way
from integrations.models import Connection, Finding, Reconciliation

_SHOWN: Final = 10


@dataclass(frozen=True)
class Found:
    """`place` is the page of what the meeting was made for, None where there is none (any more)."""

    finding: Finding
    place: MeetingPage | None

    @property
    def name(self) -> str:
        return self.place.label if self.place is not None else self.finding.meeting.subject


@dataclass(frozen=True)
class News:
    """The last comparison, None before the first; how many answers it waits for; what was found lately."""

    run: Reconciliation | None
    summary: str
    waiting: int
    found: list[Found]


def news_of(connection: Connection) -> News:
    """Four queries at most, for any number of findings; they name the appointments that they are about."""
    run = latest(connection)
    if run is None:
        return News(None, "", 0, [])
    waiting = 0 if run.finished_at else under_way(run)
    run.connection = connection
    findings = list(recent_findings(connection)[:_SHOWN])
    pages = pages_of([each.meeting_id for each in findings]) if findings else {}
    return News(run, summary(run), waiting, [Found(each, pages.get(each.meeting_id)) for each in findings])

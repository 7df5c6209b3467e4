"""Report the findings of the drift watch to admins: on pages, in the history, and by email."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.mail import EmailMessage
from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.event_text import drift_outcome, drift_sentence
from integrations.events import connection_link, email_admins
from integrations.models import (
    Connection,
    DirectoryState,
    DriftFinding,
    DriftWatch,
    UserMatch,
)
from integrations.platforms.registry import platform_of
from staff.models import OutboxEmail, StaffMember
from staff.outbox import EmailKind

#: Number of people that the dashboard and an email name.
NAMED: Final = 3
NAMED_IN_EMAIL: Final = 20
# Columns of a sentence. Fewer columns keep the window function fast, which reads every row.
_SENTENCE_COLUMNS: Final = ("after", "is_other_user", "is_recreated", "remote_user_name", "meetings")
PER_PAGE: Final = 25


@dataclass(frozen=True)
class DriftNotice:
    """First findings, those with the most appointments first, and the number of the others."""

    findings: Sequence[DriftFinding]
    others: int

    @property
    def sentences(self) -> list[str]:
        return [sentence_of(finding) for finding in self.findings]

    @property
    def rest(self) -> str:
        """Return "and 12 others", or ""."""
        words = ngettext("and %d other", "and %d others", self.others)
        return words % self.others if self.others else ""


def findings_of(connection: Connection) -> QuerySet[DriftFinding]:
    """Return the findings about active staff, those with the most appointments first."""
    findings = DriftFinding.objects.filter(connection=connection, staff__in=StaffMember.objects.active())
    return findings.select_related("staff").order_by("-meetings", "pk")


def notice_of(connection: Connection) -> DriftNotice | None:
    """Return the notice for the dashboard, or None without findings. One query."""
    named = findings_of(connection).only(*_SENTENCE_COLUMNS, "staff__first_name", "staff__last_name", "staff__email")
    found = list(named.annotate(total=Window(Count("pk")))[:NAMED])
    return DriftNotice(found, found[0].total - len(found)) if found else None


@dataclass(frozen=True)
class DriftRow:
    """Row of the list: the finding, its outcome, and the remedy."""

    finding: DriftFinding
    outcome: str
    remedy: str


def rows_on(connection: Connection, page: Page[DriftFinding]) -> list[DriftRow]:
    """Return the rows of a page. No query."""
    return [
        DriftRow(finding, drift_outcome(event_params(finding)), _remedy(connection, finding))
        for finding in page.object_list
    ]


def _remedy(connection: Connection, finding: DriftFinding) -> str:
    """Return the remedy that the table would show next to the person after a rematch."""
    future_match = UserMatch(
        queried_name=getattr(finding.staff, connection.match_field),
        directory=DirectoryState.UNMATCHED,
        reason=finding.reason,
        hint=finding.hint,
        remote_user_name=finding.remote_user_name,
    )
    return platform_of(connection).remedy(connection, future_match)


def last_watched_at(connection: Connection) -> datetime | None:
    """Return the time at which the drift watch last finished, or None before the first night."""
    watches = DriftWatch.objects.filter(connection=connection)
    return watches.values_list("finished_at", flat=True).first()


def page_of(connection: Connection, number: str | None) -> Page[DriftFinding]:
    """Return a page of the findings. An invalid number gives the nearest page."""
    return Paginator(findings_of(connection), PER_PAGE).get_page(number)


def sentence_of(finding: DriftFinding) -> str:
    """Return a sentence such as "Ana would now be Unmatched and has 4 video appointments this week"."""
    return drift_sentence(event_params(finding))


def event_params(finding: DriftFinding) -> dict[str, Any]:
    """Return the facts of `sentence_of`, as JSON values."""
    return {"person": finding.staff.name, **{name: getattr(finding, name) for name in _SENTENCE_COLUMNS}}


def email_findings(connection: Connection, findings: Sequence[DriftFinding]) -> None:
    """Enqueue one email to the admins about the findings, in the caller's transaction."""
    if findings:
        email_admins(connection, DRIFT_EMAIL, findings=[finding.pk for finding in findings])


def _render_drift_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if a rematch or a disconnect has ended all findings in the meantime."""
    connection = Connection.objects.live().filter(pk=email.params["connection"]).first()
    findings = list(findings_of(connection).filter(pk__in=email.params["findings"])) if connection else []
    if connection is None or not findings:
        return None
    return EmailMessage(_email_subject(connection, len(findings)), _email_body(connection, findings))


DRIFT_EMAIL: Final = EmailKind("drift", _render_drift_email)


def _email_subject(connection: Connection, people: int) -> str:
    words = ngettext(
        "%(name)s: %(number)d person with video appointments this week needs a look",
        "%(name)s: %(number)d people with video appointments this week need a look",
        people,
    )
    return words % {"name": connection.name, "number": people}


def _email_body(connection: Connection, findings: Sequence[DriftFinding]) -> str:
    lines = [f"- {sentence_of(finding)}" for finding in findings[:NAMED_IN_EMAIL]]
    others = len(findings) - NAMED_IN_EMAIL
    if others > 0:
        lines.append(ngettext("- and %d other", "- and %d others", others) % others)
    facts = {"lines": "\n".join(lines), "link": connection_link(connection), "name": connection.name}
    return (
        _(
            "Something changed in your organisation's directory since these people were matched on %(name)s:\n\n"
            "%(lines)s\n\n"
            "Coconut has changed nothing: it goes on with the matches of the last rematch. If the change was meant, "
            "open the page below and click Actions, then Rematch users; the table then says for everybody what to do."
            "\n\n%(link)s\n"
        )
        % facts
    )

"""What admins are told about the findings of the drift watch: on the dashboard, in the history, by one mail."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.mail import EmailMessage
from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.events import admins_of, connection_link
from integrations.models import (
    Connection,
    DirectoryState,
    DriftFinding,
    DriftWatch,
    MatchStatus,
    UserMatch,
)
from integrations.platforms.registry import platform_of

logger = logging.getLogger(__name__)

#: How many people the dashboard names, and how many a mail.
NAMED: Final = 3
NAMED_IN_EMAIL: Final = 20
# What a sentence is made of; the count of them all runs through every row.
_NAMED: Final = ("after", "is_other_user", "remote_user_name", "meetings")
PER_PAGE: Final = 25


@dataclass(frozen=True)
class DriftNotice:
    """Some of those who were found, who have most appointments first, and how many others there are."""

    findings: Sequence[DriftFinding]
    others: int

    @property
    def sentences(self) -> list[str]:
        return [sentence_of(finding) for finding in self.findings]

    @property
    def rest(self) -> str:
        """ "and 12 others", or ""."""
        words = ngettext("and %d other", "and %d others", self.others)
        return words % self.others if self.others else ""


def findings_of(connection: Connection) -> QuerySet[DriftFinding]:
    """Who was found and still works there, with their staff rows; who has most appointments first."""
    found = DriftFinding.objects.filter(connection=connection, staff__is_active=True)
    return found.select_related("staff").order_by("-meetings", "pk")


def notice_of(connection: Connection) -> DriftNotice | None:
    """What the dashboard says; None where there is nothing to say. One query."""
    named = findings_of(connection).only(*_NAMED, "staff__first_name", "staff__last_name", "staff__email")
    found = list(named.annotate(total=Window(Count("pk")))[:NAMED])
    return DriftNotice(found, found[0].total - len(found)) if found else None


@dataclass(frozen=True)
class DriftRow:
    """A row of the list: what the person would be, and what can be done about it."""

    finding: DriftFinding
    outcome: str
    remedy: str


def rows_on(connection: Connection, page: Page[DriftFinding]) -> list[DriftRow]:
    """The rows of a page. No query."""
    return [
        DriftRow(finding, outcome_of(finding), _remedy(connection, finding)) for finding in page.object_list
    ]


def _remedy(connection: Connection, finding: DriftFinding) -> str:
    """The sentence that the table would show beside the person after a rematch."""
    would_be = UserMatch(
        queried_name=getattr(finding.staff, connection.match_field),
        directory=DirectoryState.UNMATCHED,
        reason=finding.reason,
        hint=finding.hint,
        remote_user_name=finding.remote_user_name,
    )
    return platform_of(connection).remedy(connection, would_be)


def last_look_of(connection: Connection) -> datetime | None:
    """When the drift watch last came to its end; None before the first night."""
    watches = DriftWatch.objects.filter(connection=connection)
    return watches.values_list("finished_at", flat=True).first()


def page_of(connection: Connection, number: str | None) -> Page[DriftFinding]:
    """The page `number` of all of them; what makes no sense is the nearest page."""
    return Paginator(findings_of(connection), PER_PAGE).get_page(number)


def sentence_of(finding: DriftFinding) -> str:
    """Such as "Ana would now be Unmatched and has 4 video appointments this week." """
    words = {"person": finding.staff.name, "what": outcome_of(finding), "number": finding.meetings}
    if not finding.meetings:
        return _("%(person)s would now be %(what)s.") % words
    return (
        ngettext(
            "%(person)s would now be %(what)s and has %(number)d video appointment this week.",
            "%(person)s would now be %(what)s and has %(number)d video appointments this week.",
            finding.meetings,
        )
        % words
    )


def outcome_of(finding: DriftFinding) -> str:
    """What the person would be: a status, or somebody else."""
    if finding.is_other_user and finding.after in (MatchStatus.MATCHED, MatchStatus.CHECKING):
        return _("matched with another account (%s)") % finding.remote_user_name
    return str(MatchStatus(finding.after).label)


def noted_words(first: DriftFinding, how_many: int) -> str:
    """A line for the history about those who were found last night."""
    if how_many == 1:
        return _("Drift watch: %s") % sentence_of(first)
    words = ngettext(
        "Drift watch: %(person)s and %(others)d other person would not be matched as they are any more.",
        "Drift watch: %(person)s and %(others)d others would not be matched as they are any more.",
        how_many - 1,
    )
    return words % {"person": first.staff.name, "others": how_many - 1}


def email_findings(connection: Connection, findings: Sequence[DriftFinding]) -> None:
    """Tell the admins in one mail. A mail server that is down is a line in the log: the dashboard tells them too."""
    addresses = list(admins_of(connection.organization).values_list("email", flat=True))
    if not findings or not addresses:
        return
    with translation.override(connection.organization.language):
        subject, body = _subject(connection, len(findings)), _body(connection, findings)
    try:
        EmailMessage(" ".join(subject.split()), body, to=addresses).send()
    except OSError:
        logger.exception("The admins were not told of the drift on connection %s.", connection.pk)


def _subject(connection: Connection, how_many: int) -> str:
    words = ngettext(
        "%(name)s: %(number)d person with video appointments this week needs a look",
        "%(name)s: %(number)d people with video appointments this week need a look",
        how_many,
    )
    return words % {"name": connection.name, "number": how_many}


def _body(connection: Connection, findings: Sequence[DriftFinding]) -> str:
    lines = [f"- {sentence_of(finding)}" for finding in findings[:NAMED_IN_EMAIL]]
    others = len(findings) - NAMED_IN_EMAIL
    if others > 0:
        lines.append(ngettext("- and %d other", "- and %d others", others) % others)
    words = {"lines": "\n".join(lines), "link": connection_link(connection), "name": connection.name}
    return (
        _(
            "Something changed in your organisation's directory since these people were matched on %(name)s:\n\n"
            "%(lines)s\n\n"
            "Coconut has changed nothing: it goes on with the matches of the last rematch. If the change was meant, "
            "open the page below and click Actions, then Rematch users; the table then says for everybody what to do."
            "\n\n%(link)s\n"
        )
        % words
    )

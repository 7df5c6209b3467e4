"""Whom the search and the filter of a dashboard leave.

Made for 50,000 people: a rare word is found by trigrams; a common one is faster to look for in everybody, and then the
first page is full after a few. A word of one or two letters has no trigrams, and is common nearly always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from integrations.models import Connection, MatchStatus, UserMatch
from staff.models import StaffMember

ROWS = (25, 50, 100)
#: Words that no more people than this have are rare.
FEW = 500


class TableFilter(forms.Form):
    """What the address says about the table; a value that makes no sense is as if it were not there."""

    search = forms.CharField(label=_("Search users"), required=False, max_length=200)
    video = forms.ChoiceField(
        label=_("Video Calls"),
        required=False,
        choices=[("", _("On or off")), ("on", _("On")), ("off", _("Off"))],
    )
    status = forms.ChoiceField(
        label=_("Match status"),
        required=False,
        choices=[
            ("", _("Every status")),
            *[(s.value, s.label) for s in MatchStatus if s != MatchStatus.CHECKING],
        ],
    )
    sort = forms.ChoiceField(required=False, choices=[("", "A–Z"), ("-name", "Z–A")])
    rows = forms.ChoiceField(required=False, choices=[(str(rows), str(rows)) for rows in ROWS])

    def value(self, name: str) -> str:
        """The cleaned value of a field, "" where it was left out or made no sense."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    @property
    def words(self) -> list[str]:
        """What is searched for: every one of these words."""
        return self.value("search").split()

    @property
    def rows_per_page(self) -> int:
        return int(self.value("rows") or ROWS[0])

    @property
    def is_narrowed(self) -> bool:
        """Whether somebody may be missing from the table because of the filter."""
        return any(self.value(name) for name in ("search", "video", "status"))


def people(connection: Connection) -> QuerySet[StaffMember]:
    """Everybody of the organisation who works there, whether or not the platform was asked about them yet."""
    return StaffMember.objects.filter(organization=connection.organization_id, is_active=True).order_by()


@dataclass(frozen=True)
class Narrowed:
    """The same people in three forms, unordered, each the quickest for its purpose.

    Near an end of the list (`near`), person after person is looked up until the page is full; far from it (`far`) that
    would be most of them, so that everybody who fits is gathered first. `parts` are disjoint and together everybody.
    """

    near: QuerySet[StaffMember]
    far: QuerySet[StaffMember]
    parts: Sequence[QuerySet[StaffMember]]

    def count(self) -> int:
        return sum(part.count() for part in self.parts)


def narrowed(connection: Connection, table_filter: TableFilter) -> Narrowed:
    """The people that the search and the filter leave. Asks the database once where there is a search."""
    found, parts = _searched(connection, table_filter.words)
    status, video = table_filter.value("status"), table_filter.value("video")
    matches = _wanted_matches(connection, status, video)
    if matches is None:
        return Narrowed(found, found, parts)
    one_by_one, gathered = Q(Exists(matches.filter(staff=OuterRef("pk")))), _is_among(matches)
    if video == "off" and not status:
        # Also those without a row, hence those who are not on.
        one_by_one, gathered = ~one_by_one, ~Q(pk__in=matches.values("staff"))
    return Narrowed(
        found.filter(one_by_one), found.filter(gathered), [part.filter(gathered) for part in parts]
    )


def _wanted_matches(connection: Connection, status: str, video: str) -> QuerySet[UserMatch] | None:
    """The rows that the filter is about; None without a filter. For "off" alone, the rows of those who are on."""
    matches = UserMatch.objects.filter(connection=connection)
    if not status and not video:
        return None
    if not status:
        return matches.filter(enabled=True)
    return matches.filter(status=status, **({"enabled": video == "on"} if video else {}))


def _is_among(matches: QuerySet[UserMatch]) -> Q:
    """Who has one of the rows, which are gathered once, before the list is walked in order.

    The second half is never true. Without it the database would join both tables and then sort everybody, which takes
    twice as long.
    """
    return Q(pk__in=matches.values("staff")) | Q(pk__lt=0)


# --- Words ------------------------------------------------------------------------------------------
def _searched(
    connection: Connection, words: list[str]
) -> tuple[QuerySet[StaffMember], list[QuerySet[StaffMember]]]:
    """Who has every word in name, e-mail address, username or remote user name, without case; whole and in parts.

    By ids where they are few: no index finds an OR over two tables. Where they are many, those who have the words in
    the staff columns are counted apart from those who do not.
    """
    everybody = people(connection)
    if not words:
        return everybody, [everybody]
    here, there = _here(connection, words), _there(connection, words)
    ids = set(here.values_list("pk", flat=True).union(there, all=True)[: FEW + 1])
    if len(ids) <= FEW:
        found = everybody.filter(pk__in=ids)
        return found, [found]
    either = (
        _has("search_text", word) | Q(pk__in=_remotely(connection, word).values("staff")) for word in words
    )
    only_there = everybody.filter(pk__in=there).exclude(*(_has("search_text", word) for word in words))
    return everybody.filter(*either), [here, only_there]


def _here(connection: Connection, words: list[str]) -> QuerySet[StaffMember]:
    """Who has all words in the staff columns, found by trigrams."""
    return people(connection).filter(*(_has("search_text", word) for word in words))


def _there(connection: Connection, words: list[str]) -> QuerySet[Any, int]:
    """The ids of those who have at least one word in the remote user name, and each word there or here."""
    rows = UserMatch.objects.filter(
        reduce(or_, (_has("other_upn", word) for word in words)),
        *(_has("other_upn", word) | _has("staff__search_text", word) for word in words),
        connection=connection,
        staff__organization=connection.organization_id,
        staff__is_active=True,
    )
    return rows.exclude(other_upn="").values_list("staff_id", flat=True)


def _remotely(connection: Connection, word: str) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(_has("other_upn", word), connection=connection).exclude(other_upn="")


def _has(field: str, word: str) -> Q:
    """The columns are in upper case; the database raises the word too, so that both follow the same rules."""
    return Q(**{f"{field}__contains": Upper(Value(word))})

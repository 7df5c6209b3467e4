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
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Upper
from django.http import QueryDict
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

    def __init__(self, data: QueryDict, *, usual_rows: int = ROWS[0]) -> None:
        super().__init__(data)
        self.usual_rows = usual_rows

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
        return int(self.value("rows") or self.usual_rows)

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
    would be most of them, so that everybody who fits is gathered first. `parts` are disjoint and together everybody,
    each as the staff or as their matches.
    """

    near: QuerySet[StaffMember]
    far: QuerySet[StaffMember]
    parts: Sequence[QuerySet[Any]]

    def count(self) -> int:
        return sum(part.count() for part in self.parts)


def narrowed(connection: Connection, table_filter: TableFilter, *, are_few: bool = False) -> Narrowed:
    """The people that the search and the filter leave. Asks the database once where there is a search.

    Where the filter alone leaves few (`are_few`), they are looked through for the words one by one.
    """
    found, here, there = _searched(connection, table_filter.words)
    wish = _wish(table_filter.value("status"), table_filter.value("video"))
    if not wish:
        return Narrowed(found, found, [here, there])
    parts: list[QuerySet[Any]]
    if wish == {"enabled": False}:
        # Also those without a row, hence those who are not on.
        on = UserMatch.objects.filter(connection=connection, enabled=True)
        one_by_one, gathered = ~Q(Exists(on.filter(staff=OuterRef("pk")))), ~Q(pk__in=on.values("staff"))
        parts = [here.filter(gathered), there.filter(**wish)]
    else:
        matches = UserMatch.objects.filter(connection=connection, **wish)
        one_by_one, gathered = Q(Exists(matches.filter(staff=OuterRef("pk")))), _is_among(matches)
        # Who was found by a list of ids is few already.
        among = _one_by_one(matches, here) if are_few and found is not here else None
        parts = [
            here.filter(pk__in=matches.values("staff")) if among is None else among,
            there.filter(**wish),
        ]
    return Narrowed(found.filter(one_by_one), found.filter(gathered), parts)


def _one_by_one(matches: QuerySet[UserMatch], members: QuerySet[StaffMember]) -> QuerySet[UserMatch]:
    """Those whose member is among `members`, each looked up. No EXISTS: for that the database reads everybody."""
    found = Subquery(members.filter(pk=OuterRef("staff")).values("pk")[:1])
    return matches.alias(found=found).filter(found__isnull=False)


def _wish(status: str, video: str) -> dict[str, Any]:
    """What the filter wants of a person's match."""
    return {**({"status": status} if status else {}), **({"enabled": video == "on"} if video else {})}


def _is_among(matches: QuerySet[UserMatch]) -> Q:
    """Who has one of the rows, which are gathered once, before the list is walked in order.

    The second half is never true. Without it the database would join both tables, which is quicker where they are only
    counted, and then sort everybody, which takes twice as long.
    """
    return Q(pk__in=matches.values("staff")) | Q(pk__lt=0)


# --- Words ------------------------------------------------------------------------------------------
def _searched(
    connection: Connection, words: list[str]
) -> tuple[QuerySet[StaffMember], QuerySet[StaffMember], QuerySet[UserMatch]]:
    """Who has every word in name, e-mail address, username or remote user name, without case.

    All of them, and in two parts: as staff, and the matches of the rest. By ids where they are few: no index finds an
    OR over two tables. Where they are many, those who have the words in the staff columns are counted apart from those
    who do not.
    """
    everybody, nobody = people(connection), UserMatch.objects.none()
    if not words:
        return everybody, everybody, nobody
    here, there = _here(connection, words), _there(connection, words)
    ids = set(here.values_list("pk", flat=True).union(there.values_list("staff"), all=True)[: FEW + 1])
    if len(ids) <= FEW:
        found = everybody.filter(pk__in=ids)
        return found, found, nobody
    either = (
        _has("search_text", word) | Q(pk__in=_remotely(connection, word).values("staff")) for word in words
    )
    only_there = there.exclude(*(_has("staff__search_text", word) for word in words))
    return everybody.filter(*either), here, only_there


def _here(connection: Connection, words: list[str]) -> QuerySet[StaffMember]:
    """Who has all words in the staff columns, found by trigrams."""
    return people(connection).filter(*(_has("search_text", word) for word in words))


def _there(connection: Connection, words: list[str]) -> QuerySet[UserMatch]:
    """The matches of those who have at least one word in the remote user name, and each word there or here."""
    rows = UserMatch.objects.filter(
        reduce(or_, (_has("other_user_name", word) for word in words)),
        *(_has("other_user_name", word) | _has("staff__search_text", word) for word in words),
        connection=connection,
        staff__organization=connection.organization_id,
        staff__is_active=True,
    )
    return rows.exclude(other_user_name="")


def _remotely(connection: Connection, word: str) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(_has("other_user_name", word), connection=connection).exclude(
        other_user_name=""
    )


def _has(field: str, word: str) -> Q:
    """The columns are in upper case; the database raises the word too, so that both follow the same rules."""
    return Q(**{f"{field}__contains": Upper(Value(word))})

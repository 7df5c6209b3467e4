"""Whom the search and the filter of a dashboard leave.

Made for 50,000 people: a rare word is found by trigrams; a common one is faster to look for in everybody, and then the
first page is full after a few. A word of one or two letters has no trigrams, and is common nearly always.
"""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from integrations.models import Connection, MatchStatus, UserMatch
from staff.models import StaffMember

ROWS = (25, 50, 100)
#: A word that no more people than this have is rare.
FEW = 5000


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


def narrowed(connection: Connection, table_filter: TableFilter) -> QuerySet[StaffMember]:
    """The people that the search and the filter leave, unordered. Asks the database once where there is a search."""
    found = people(connection)
    words = sorted(table_filter.words, key=len, reverse=True)
    if words:
        found = found.filter(_with_rarest(connection, words[0]))
    for word in words[1:]:
        found = found.filter(_with(connection, word))
    return _filtered(connection, found, table_filter.value("status"), table_filter.value("video"))


def _filtered(
    connection: Connection, found: QuerySet[StaffMember], status: str, video: str
) -> QuerySet[StaffMember]:
    matches = UserMatch.objects.filter(connection=connection)
    if video == "off" and not status:
        # Also those without a row.
        return found.exclude(pk__in=matches.filter(enabled=True).values("staff"))
    if status:
        matches = matches.filter(status=status)
    if video:
        matches = matches.filter(enabled=video == "on")
    return found.filter(_is_among(matches)) if status or video else found


def _is_among(matches: QuerySet[UserMatch]) -> Q:
    """Who has one of the rows, looked up person by person while the list is walked in order.

    The second half is never true. Without it the database would join both tables and then sort everybody, which takes
    four times as long as walking to the middle of the list.
    """
    return Q(pk__in=matches.values("staff")) | Q(pk__lt=0)


# --- Words ------------------------------------------------------------------------------------------
def _with(connection: Connection, word: str) -> Q:
    """Who has the word in name, e-mail address, username or remote user name, without case."""
    return _has("search_text", word) | Q(pk__in=_remotely(connection, word).values("staff"))


def _with_rarest(connection: Connection, word: str) -> Q:
    """As `_with`, by ids where they are few: no index finds an OR over two tables."""
    here = people(connection).filter(_has("search_text", word)).values_list("pk", flat=True)
    there = _remotely(connection, word).values_list("staff_id", flat=True)
    ids = set(here.union(there, all=True)[: FEW + 1])
    return Q(pk__in=ids) if len(ids) <= FEW else _with(connection, word)


def _remotely(connection: Connection, word: str) -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(_has("other_upn", word), connection=connection).exclude(other_upn="")


def _has(field: str, word: str) -> Q:
    """The columns are in upper case; the database raises the word too, so that both follow the same rules."""
    return Q(**{f"{field}__contains": Upper(Value(word))})

"""Search and filter of the user table on a connection's dashboard."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Upper
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from coconut.database.search import contains_word
from integrations.models import Connection, MatchStatus, UserMatch
from staff.models import StaffMember
from staff.pagination import search_words

ROWS = (25, 50, 100)


class TableFilter(forms.Form):
    """Search, filter and order of the table, read from the query string. Invalid values are ignored."""

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

    def __init__(self, data: QueryDict, *, default_rows: int = ROWS[0]) -> None:
        super().__init__(data)
        self.default_rows = default_rows

    def value(self, name: str) -> str:
        """Return the cleaned value of a field, or "" if the value is missing or invalid."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    @property
    def words(self) -> list[str]:
        """Search words. A user must match all of them."""
        return search_words(self.value("search"))

    @property
    def rows_per_page(self) -> int:
        return int(self.value("rows") or self.default_rows)

    @property
    def is_narrowed(self) -> bool:
        """Return whether the search or the filter can hide users."""
        return any(self.value(name) for name in ("search", "video", "status"))


def filtered_users(connection: Connection, table_filter: TableFilter) -> QuerySet[StaffMember]:
    """Return the active staff members that the search and the filter keep, unordered.

    Each word must occur in the name, email, username or remote user name. Case and accents don't count.
    """
    users = StaffMember.objects.active_in(connection.organization_id).order_by()
    matches = UserMatch.objects.filter(connection=connection)
    for word in table_filter.words:
        # An index holds the few matches whose remote user name differs from the staff field.
        # That column is upper case. The database raises the word too, so both follow the same rules.
        by_remote_name = matches.exclude(other_user_name="").filter(other_user_name__contains=Upper(Value(word)))
        users = users.filter(contains_word(word) | Q(pk__in=by_remote_name.values("staff")))
    status, video = table_filter.value("status"), table_filter.value("video")
    if status:
        matches = matches.filter(status=status)
    if video == "on" or (video and status):
        matches = matches.filter(enabled=video == "on")
    elif video:
        # A user without a match row counts as off.
        return users.exclude(pk__in=matches.filter(enabled=True).values("staff"))
    return users.filter(pk__in=matches.values("staff")) if status or video else users

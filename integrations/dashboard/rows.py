"""The rows of the table on a connection's dashboard: each person, and what the platform said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.matching.people import shared_remote_ids
from integrations.models import Connection, HostPermission, MatchStatus, UserMatch
from integrations.platforms.registry import platform_of
from staff.models import StaffMember


class RowTexts:
    """What the rows of one page share: words in the admin's language, and addresses, escaped already.

    Made once, because there are a hundred rows, and a template takes ten times as long for each.
    """

    _ANY: Final = 2**31 - 1

    def __init__(self, connection: Connection) -> None:
        self.platform = escape(platform_of(connection).label)
        self.statuses = {status: escape(status.label) for status in MatchStatus}
        self._switched = {True: escape(_("On")), False: escape(_("Off"))}
        self._remedies: dict[str, str] = {}
        self._select = _around("%(name)s", _("Select %(name)s"))
        self._switch = _around("%(name)s", _("Video Calls for %(name)s"))
        self._profile = _around(str(self._ANY), reverse("staff-profile", args=[self._ANY]))
        self._toggle = _around(str(self._ANY), reverse("connection-toggle", args=[connection.pk, self._ANY]))

    def about(self, member: StaffMember) -> dict[str, SafeString]:
        """The name of one person and what it is part of."""
        # A string: templates format numbers for people.
        pk, name = escape(member.pk), escape(member.name)
        return {
            "pk": pk,
            "name": name,
            "select_label": _with(name, self._select),
            "switch_label": _with(name, self._switch),
            "profile_url": _with(pk, self._profile),
            "toggle_url": _with(pk, self._toggle),
        }

    def remedy(self, sentence: str) -> str:
        """What to do, line by line. Many share one sentence."""
        if sentence not in self._remedies:
            self._remedies[sentence] = linebreaksbr(sentence)
        return self._remedies[sentence]

    def switched(self, is_on: bool) -> dict[str, SafeString]:
        """How the switch stands, and what a press asks for."""
        return {
            "switch_word": self._switched[is_on],
            "switch_state": _TRUE if is_on else _FALSE,
            "switch_value": _FALSE if is_on else _TRUE,
        }


_TRUE, _FALSE = escape("true"), escape("false")


def _around(hole: str, text: str) -> tuple[SafeString, SafeString]:
    before, _hole, after = text.partition(hole)
    return escape(before), escape(after)


def _with(filling: SafeString, around: tuple[SafeString, SafeString]) -> SafeString:
    before, after = around
    return before + filling + after


@dataclass(frozen=True)
class UserRow:
    """One person on the dashboard. `remedy` says what to do about somebody who is not matched.

    `script` is what the platform's administrator runs, where a permission is all that is missing.
    """

    connection: Connection
    texts: RowTexts
    member: StaffMember
    match: UserMatch | None = None
    remedy: str = ""
    shares_with: tuple[str, ...] = ()
    script: str = ""

    def __getitem__(self, name: str) -> object:
        """A text that every row shows. A template looks for a key first, and for an attribute only then."""
        return self._shown[name]

    @cached_property
    def _shown(self) -> dict[str, object]:
        texts, match = self.texts, self.match
        return {
            **texts.about(self.member),
            **texts.switched(self.is_on),
            "user_name": escape(self.user_name or "–"),
            "remote_user_name": escape(match.remote_user_name) if match is not None else "",
            "platform": texts.platform,
            "status": escape(self.status.value),
            "status_label": texts.statuses[self.status],
            "remedy": texts.remedy(self.remedy),
            "has_actions": self.has_actions,
            "shares_with": self.shares_with,
        }

    @property
    def user_name(self) -> str:
        """What the matched field holds."""
        return str(getattr(self.member, self.connection.match_field))

    @property
    def has_actions(self) -> bool:
        """Whether there is something to press beside the remedy."""
        return bool(self.script or (self.match is not None and self.match.other_name))

    @property
    def is_unsettled(self) -> bool:
        """Whether an answer is under way that the page should show when it is there."""
        is_waiting = self.match is not None and self.match.host_permission == HostPermission.WAITING
        return is_waiting or self.is_outdated or self.status == MatchStatus.CHECKING

    @property
    def is_outdated(self) -> bool:
        """Whether the answer is about another user name than the present one, and a new one is on its way."""
        return (
            self.match is not None
            and self.connection.is_healthy
            and self.match.queried_name != self.user_name
        )

    @property
    def is_on(self) -> bool:
        return self.match is not None and self.match.enabled

    @property
    def status(self) -> MatchStatus:
        return MatchStatus(self.match.status) if self.match is not None else MatchStatus.CHECKING


def rows_of(connection: Connection, members: Sequence[StaffMember]) -> list[UserRow]:
    """The rows for these people, in their order. One query, two where somebody shares a remote user."""
    found = UserMatch.objects.filter(connection=connection, staff__in=[member.pk for member in members])
    matches = {match.staff_id: match for match in found.with_sharing()}
    shared = shared_remote_ids(connection, [row.remote_id for row in matches.values() if row.is_shared])
    texts = RowTexts(connection)
    return [_row(UserRow(connection, texts, member, matches.get(member.pk)), shared) for member in members]


def _row(row: UserRow, shared: Mapping[str, list[UserMatch]]) -> UserRow:
    """The row with what there is to say about its match."""
    connection, match = row.connection, row.match
    if match is None:
        return row
    others = [
        other.staff.name for other in shared.get(match.remote_id, []) if other.staff_id != match.staff_id
    ]
    if row.is_outdated:
        return replace(row, remedy=_("Being looked up again."), shares_with=tuple(others))
    is_fine, platform = match.status in (MatchStatus.MATCHED, MatchStatus.CHECKING), platform_of(connection)
    return replace(
        row,
        remedy="" if is_fine else platform.remedy(connection, match),
        shares_with=tuple(others),
        script=platform.grant_script(connection, [match.remote_id]) if match.needs_permission else "",
    )

"""Reasons why a staff member can't host video appointments, with the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from integrations.hooks import MeetingPage
from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.registry import platform_of
from staff.models import StaffMember


@dataclass(frozen=True)
class BlockingReason:
    """Reason why a staff member can't be booked for a video call.

    - `sentence`: names the staff member and the remedy
    - `reason`: for a page that shows the name next to it
    - `ask`: follows `reason`, for readers who aren't admins
    - `page`: follows `reason` for admins, to fix it; None if they can't fix it
    """

    sentence: str
    reason: str
    ask: str
    page: MeetingPage | None = None


def no_platform(member: StaffMember) -> BlockingReason:
    """Return the reason if the organisation has no default and the staff member chose nothing else."""
    return BlockingReason(
        sentence=_(
            "%s has no video platform. An admin can connect one, or make one the default, under Settings > Video Calls."
        )
        % member.name,
        reason=_("No video platform."),
        ask=_("Ask an admin to connect one."),
        page=MeetingPage(reverse("video-calls"), _("Connect one")),
    )


def blocking_reason_of(member: StaffMember, connection: Connection, match: UserMatch | None) -> BlockingReason | None:
    """Return the reason why the staff member can't host on the connection, or None.

    A connection that needs reauthorization, or whose platform is down, blocks nothing: the link of a booked
    appointment follows later.
    """
    names = {"person": member.name, "platform": connection.name}
    if not connection.is_live:
        return _disconnected(member, names)
    if not platform_of(connection).is_offered_to(connection.organization):
        return _addon_off(names)
    return _match_reason(member, connection, match, names)


def _disconnected(member: StaffMember, names: dict[str, str]) -> BlockingReason:
    sentence = _(
        "%(platform)s, where %(person)s hosts video appointments, is disconnected. Choose another Video Calls "
        "Platform in the profile of %(person)s, or connect it again under Settings > Video Calls."
    )
    return BlockingReason(
        sentence=sentence % names,
        reason=_("%(platform)s is disconnected.") % names,
        ask=_("Ask an admin to choose another platform."),
        page=MeetingPage(reverse("staff-profile", args=[member.pk]), _("Choose another platform")),
    )


def _addon_off(names: dict[str, str]) -> BlockingReason:
    sentence = _(
        "%(platform)s is an optional add-on that is switched off, so that %(person)s cannot be booked for new "
        "video appointments. Please contact your Customer Success Team."
    )
    return BlockingReason(
        sentence=sentence % names,
        reason=_("%(platform)s is an optional add-on that is switched off.") % names,
        ask=_("Please contact your Customer Success Team."),
    )


def _match_reason(
    member: StaffMember, connection: Connection, match: UserMatch | None, names: dict[str, str]
) -> BlockingReason | None:
    if match is None or not match.enabled:
        sentence = _("Video Calls is off for %(person)s. An admin can turn it on under Settings > Video Calls.")
        return BlockingReason(
            sentence=sentence % names,
            reason=_("Video Calls is off."),
            ask=_("Ask an admin to turn it on."),
            page=_dashboard_row(member, connection, _("Turn it on")),
        )
    status = MatchStatus(match.status)
    if status == MatchStatus.MATCHED:
        return None
    return BlockingReason(
        sentence=_SENTENCES[status] % names,
        reason=_REASONS[status] % names,
        ask=_("Try again in a minute.") if status == MatchStatus.CHECKING else _("Ask an admin to fix it."),
        page=_dashboard_row(member, connection, _("See why")),
    )


def _dashboard_row(member: StaffMember, connection: Connection, label: str) -> MeetingPage:
    """Return the link to the staff member's row of the dashboard."""
    address = reverse("connection", args=[connection.pk], query={"search": member.email}, fragment=f"user-{member.pk}")
    return MeetingPage(address, label)


_SENTENCES = {
    MatchStatus.CHECKING: _lazy(
        "%(platform)s has not answered yet whether it knows %(person)s. Try again in a minute."
    ),
    MatchStatus.UNMATCHED: _lazy(
        "%(person)s is not matched with a user of %(platform)s. An admin can see why, and what to do, under "
        "Settings > Video Calls."
    ),
    MatchStatus.FORBIDDEN: _lazy(
        "%(platform)s does not let %(person)s host video appointments. An admin can see why, and what to do, under "
        "Settings > Video Calls."
    ),
}
_REASONS = {
    MatchStatus.CHECKING: _lazy("%(platform)s has not answered yet."),
    MatchStatus.UNMATCHED: _lazy("Not matched with a user of %(platform)s."),
    MatchStatus.FORBIDDEN: _lazy("May not host on %(platform)s."),
}

"""What keeps a person from hosting video appointments: in words, whom to ask, and where an admin mends it."""

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
    """Why somebody cannot be offered for a video call.

    `sentence` names the person and the remedy. `reason` stands beside the name, so it does without; after it comes
    `ask` (whom to turn to), or for admins `page`, where it is mended (None where it cannot be mended by them).
    """

    sentence: str
    reason: str
    ask: str
    page: MeetingPage | None = None


def no_platform(member: StaffMember) -> BlockingReason:
    """Nothing is connected, or nothing is the default, and the person chose nothing else."""
    return BlockingReason(
        sentence=_(
            "%s has no video platform. An admin can connect one, or make one the default, under "
            "Settings > Video Calls."
        )
        % member.name,
        reason=_("No video platform."),
        ask=_("Ask an admin to connect one."),
        page=MeetingPage(reverse("video-calls"), _("Connect one")),
    )


def blocking_reason_of(
    member: StaffMember, connection: Connection, match: UserMatch | None
) -> BlockingReason | None:
    """What hinders the person on their own connection; None where nothing does.

    A connection that needs to be reauthorized, or whose platform is down, is none: the appointment is booked, its
    meeting waits, and the link follows.
    """
    words = {"person": member.name, "platform": connection.name}
    if not connection.is_live:
        return _disconnected(member, words)
    if not platform_of(connection).is_offered_to(connection.organization):
        return _switched_off(words)
    return _of_match(member, connection, match, words)


def _disconnected(member: StaffMember, words: dict[str, str]) -> BlockingReason:
    sentence = _(
        "%(platform)s, where %(person)s hosts video appointments, is disconnected. Choose another Video Calls "
        "Platform in the profile of %(person)s, or connect it again under Settings > Video Calls."
    )
    return BlockingReason(
        sentence=sentence % words,
        reason=_("%(platform)s is disconnected.") % words,
        ask=_("Ask an admin to choose another platform."),
        page=MeetingPage(reverse("staff-profile", args=[member.pk]), _("Choose another platform")),
    )


def _switched_off(words: dict[str, str]) -> BlockingReason:
    sentence = _(
        "%(platform)s is an optional add-on that is switched off, so that %(person)s cannot be booked for new "
        "video appointments. Please contact your Customer Success Team."
    )
    return BlockingReason(
        sentence=sentence % words,
        reason=_("%(platform)s is an optional add-on that is switched off.") % words,
        ask=_("Please contact your Customer Success Team."),
    )


def _of_match(
    member: StaffMember, connection: Connection, match: UserMatch | None, words: dict[str, str]
) -> BlockingReason | None:
    if match is None or not match.enabled:
        sentence = _(
            "Video Calls is off for %(person)s. An admin can turn it on under Settings > Video Calls."
        )
        return BlockingReason(
            sentence=sentence % words,
            reason=_("Video Calls is off."),
            ask=_("Ask an admin to turn it on."),
            page=_row(member, connection, _("Turn it on")),
        )
    status = MatchStatus(match.status)
    if status == MatchStatus.MATCHED:
        return None
    return BlockingReason(
        sentence=_SENTENCES[status] % words,
        reason=_REASONS[status] % words,
        ask=_("Try again in a minute.") if status == MatchStatus.CHECKING else _("Ask an admin to mend it."),
        page=_row(member, connection, _("See why")),
    )


def _row(member: StaffMember, connection: Connection, label: str) -> MeetingPage:
    """The person's own row of the dashboard."""
    address = reverse(
        "connection", args=[connection.pk], query={"search": member.email}, fragment=f"user-{member.pk}"
    )
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

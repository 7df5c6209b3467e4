"""The link of a video appointment, as people see it: being made, there, refused, waiting for an admin, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

from appointments.models import Appointment, Status
from integrations.models import ConnectionStatus, Meeting, MeetingState
from services.models import MeetingMethod


class LinkState(StrEnum):
    NOT_VIDEO = "not_yet_video"
    CANCELLED = "cancelled"
    PERSONAL = "personal"
    PENDING = "pending"
    # Nobody but an admin can go on: the connection must be reauthorized.
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Link:
    """What is known of a link. `url` leads to the video call, `sentence` says what hinders."""

    state: LinkState
    url: str = ""
    sentence: str = ""

    @property
    def is_final(self) -> bool:
        """Nothing changes by itself any more."""
        return self.state not in (LinkState.PENDING, LinkState.WAITING)

    @property
    def can_join(self) -> bool:
        return self.state in (LinkState.READY, LinkState.PERSONAL)

    @property
    def fingerprint(self) -> str:
        """Differs when anything here does; tells nothing."""
        return sha256("\n".join([self.state, self.url, self.sentence]).encode()).hexdigest()[:16]


def link_of(appointment: Appointment) -> Link:
    """The link of an appointment; its meeting and connection should be loaded with it."""
    if appointment.method != MeetingMethod.VIDEO:
        return Link(LinkState.NOT_VIDEO)
    if appointment.status == Status.CANCELLED:
        return Link(LinkState.CANCELLED)
    if appointment.personal_meeting_url:
        return Link(LinkState.PERSONAL, _web_address(appointment.personal_meeting_url))
    if appointment.meeting is None:
        return Link(LinkState.FAILED)
    return _link_of_meeting(appointment.meeting)


def _link_of_meeting(meeting: Meeting) -> Link:
    # A link that exists is worth more than what became of the last change.
    if meeting.state == MeetingState.READY or (meeting.state == MeetingState.FAILED and meeting.join_url):
        url = _web_address(meeting.join_url)
        return Link(
            LinkState.READY if url else LinkState.FAILED, url, meeting.error_sentence or meeting.warning
        )
    if meeting.state == MeetingState.FAILED:
        return Link(LinkState.FAILED, sentence=meeting.error_sentence)
    if meeting.state in (MeetingState.CANCELLING, MeetingState.CANCELLED):
        return Link(LinkState.CANCELLED)
    if meeting.connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION:
        return Link(LinkState.WAITING)
    return Link(LinkState.PENDING, sentence=meeting.error_sentence)


def _web_address(url: str) -> str:
    """The address where it is one that a browser should be sent to, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""

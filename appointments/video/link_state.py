"""State of a video appointment's link, as pages and emails show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

from appointments.models import Appointment, Status
from integrations.models import ConnectionStatus, Meeting, MeetingState
from services.models import MeetingMethod


class LinkState(StrEnum):
    NOT_VIDEO = "not_video"
    CANCELLED = "cancelled"
    PERSONAL = "personal"
    PENDING = "pending"
    # The connection must be reauthorized by an admin first.
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Link:
    """A link's state. `url` leads to the video call; `sentence` is the failure, if any."""

    state: LinkState
    url: str = ""
    sentence: str = ""

    @property
    def is_final(self) -> bool:
        """Return whether the state no longer changes automatically."""
        return self.state not in (LinkState.PENDING, LinkState.WAITING)

    @property
    def can_join(self) -> bool:
        return self.state in (LinkState.READY, LinkState.PERSONAL)

    @property
    def fingerprint(self) -> str:
        """Hash of the fields, which reveals none of them."""
        return sha256("\n".join([self.state, self.url, self.sentence]).encode()).hexdigest()[:16]


def link_of(appointment: Appointment) -> Link:
    """Return the link of an appointment. Load its meeting and connection with it."""
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
    # A link that works matters more than the failure of the last change.
    if meeting.state == MeetingState.READY or (meeting.state == MeetingState.FAILED and meeting.join_url):
        url = _web_address(meeting.join_url)
        return Link(LinkState.READY if url else LinkState.FAILED, url, str(meeting.error or meeting.warning))
    if meeting.state == MeetingState.FAILED:
        return Link(LinkState.FAILED, sentence=str(meeting.error))
    if meeting.state in (MeetingState.CANCELLING, MeetingState.CANCELLED):
        return Link(LinkState.CANCELLED)
    if meeting.connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION:
        return Link(LinkState.WAITING)
    return Link(LinkState.PENDING, sentence=str(meeting.error))


def _web_address(url: str) -> str:
    """Return the URL if it is a web address, else ""."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""

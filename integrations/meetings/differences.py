"""Compare a meeting at the platform with its desired state."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from integrations.models import Meeting
from integrations.platforms.values import RemoteMeeting


def differences(remote: RemoteMeeting, meeting: Meeting) -> list[str]:
    """What differs, in words; nothing where the platform agrees.

    A platform that did not take everything over last time (`warning`) may lack the attendees: asking again each time
    would change nothing.
    """
    desired = frozenset(attendee["remote_id"].casefold() for attendee in meeting.attendees)
    present = frozenset(attendee_id.casefold() for attendee_id in remote.attendee_ids)
    agrees = {
        _("subject"): _plain(remote.subject) == _plain(meeting.subject),
        _("start"): _second(remote.starts_at) == _second(meeting.starts_at),
        _("end"): _second(remote.ends_at) == _second(meeting.ends_at),
        _("attendees"): present == desired or meeting.warning != "",
    }
    return [what for what, is_same in agrees.items() if not is_same]


def _plain(subject: str) -> str:
    """As platforms keep it: one line, without what cannot be printed."""
    printable = "".join(letter if letter.isprintable() else " " for letter in subject)
    return " ".join(printable.split())


def _second(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=0)

"""Online meetings as Teams stores them, with their indexes and counters.

Deleted meetings stay, because their join links keep working.
"""

import base64
import secrets
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Meeting:
    """An online meeting. Times are ISO 8601 in UTC; `options` holds further properties as last set."""

    id: str
    short_id: str
    thread_id: str
    passcode: str
    tenant_id: str
    organizer_id: str
    join_web_url: str
    created: str
    start: str
    end: str
    subject: str | None = None
    external_id: str | None = None
    attendees: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False
    patches: int = 0

    def can_be_read_by(self, oid: str) -> bool:
        """Return whether a person may read the meeting: its organizer and attendees."""
        return oid == self.organizer_id or any(_attendee_id(entry) == oid for entry in self.attendees)


def _attendee_id(attendee: dict[str, Any]) -> str | None:
    user = (attendee.get("identity") or {}).get("user") or {}
    oid = user.get("id")
    return oid if isinstance(oid, str) else None


@dataclass
class MeetingStore:
    """All meetings, deleted ones included. `counters` counts successful Graph requests by kind."""

    _by_id: dict[str, Meeting] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    _by_url: dict[str, Meeting] = field(default_factory=dict)
    _by_external: dict[tuple[str, str, str], Meeting] = field(default_factory=dict)
    _by_short_id: dict[str, Meeting] = field(default_factory=dict)

    def create(self, base_url: str, tenant_id: str, organizer_id: str, **values: Any) -> Meeting:
        """Add a meeting with the join link `<base_url>/meet/<id>?p=<passcode>`."""
        short_id = "".join(secrets.choice("0123456789") for _ in range(13))
        thread = base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes, b"-_").decode().rstrip("=")
        thread_id = f"19:meeting_{thread}@thread.v2"
        passcode = secrets.token_urlsafe(16)
        meeting = Meeting(
            # The form that Teams ids were observed to have; clients must treat it as opaque.
            id=base64.b64encode(f"1*{organizer_id}*0**{thread_id}".encode()).decode(),
            short_id=short_id,
            thread_id=thread_id,
            passcode=passcode,
            tenant_id=tenant_id,
            organizer_id=organizer_id,
            join_web_url=f"{base_url}/meet/{short_id}?p={passcode}",
            **values,
        )
        self._add_to_indexes(meeting)
        return meeting

    def _add_to_indexes(self, meeting: Meeting) -> None:
        self._by_id[meeting.id] = meeting
        self._by_url[meeting.join_web_url] = meeting
        self._by_short_id[meeting.short_id] = meeting
        if meeting.external_id is not None and not meeting.deleted:
            self._by_external[_external_key(meeting)] = meeting

    def all(self) -> list[Meeting]:
        return list(self._by_id.values())

    def get(self, meeting_id: str) -> Meeting | None:
        return self._by_id.get(meeting_id)

    def by_external_id(self, tenant_id: str, organizer_id: str, external_id: str) -> Meeting | None:
        """Return the organizer's meeting with this external id, unless it was deleted."""
        return self._by_external.get((tenant_id, organizer_id, external_id))

    def by_url(self, url: str) -> Meeting | None:
        return self._by_url.get(url)

    def by_short_id(self, short_id: str) -> Meeting | None:
        return self._by_short_id.get(short_id)

    def delete(self, meeting: Meeting) -> None:
        """Hide a meeting from Graph, and free its external id."""
        meeting.deleted = True
        if meeting.external_id is not None and self._by_external.get(_external_key(meeting)) is meeting:
            del self._by_external[_external_key(meeting)]

    def restore(self, meeting: Meeting) -> None:
        """Make a deleted meeting visible to Graph again."""
        meeting.deleted = False
        self._add_to_indexes(meeting)

    def dump(self) -> dict[str, Any]:
        """Return meetings and counters as JSON-ready data."""
        return {
            "meetings": [asdict(meeting) for meeting in self.all()],
            "counters": dict(self.counters),
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "MeetingStore":
        """Create a store from data of `dump`."""
        meetings = cls(counters=Counter(data["counters"]))
        for entry in data["meetings"]:
            meetings._add_to_indexes(Meeting(**entry))
        return meetings


def _external_key(meeting: Meeting) -> tuple[str, str, str]:
    return (meeting.tenant_id, meeting.organizer_id, meeting.external_id or "")

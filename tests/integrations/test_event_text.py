"""Text of connection events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.event_text import event_text
from integrations.models import Connection, ConnectionEvent, EventKind
from tests.messages import message

#: Example facts of each kind.
FACTS: dict[EventKind, dict[str, Any]] = {
    EventKind.CONNECTED: {"name": "Teams", "is_default": False},
    EventKind.REAUTHORIZED: {"name": "Teams"},
    EventKind.DISCONNECTED: {"name": "Teams", "kept": 2, "lost": 1},
    EventKind.MADE_DEFAULT: {"name": "Teams"},
    EventKind.MOVED_TO_DEFAULT: {"count": 2},
    EventKind.RENAMED: {"old": "Teams", "new": "Branches"},
    EventKind.TURNED_ON: {"count": 1, "person": "Sam Okafor", "is_undo": True},
    EventKind.TURNED_OFF: {"count": 2, "person": "", "is_undo": False},
    EventKind.REMATCHED: {"matched": 3, "unmatched": 1, "forbidden": 0, "checking": 2},
    EventKind.REMATCH_FAILED: {"done": 1, "total": 2, "reason": message("Microsoft is down.").as_json()},
    EventKind.FIELD_CHANGED: {"old": "email", "new": "username"},
    EventKind.USER_NAME_ADOPTED: {"field": "username", "person": "Sam Okafor", "old": "sam", "new": "sam.o"},
    EventKind.USER_RECREATED: {"person": "Sam Okafor", "user_name": "sam@contoso.example", "others": 2},
    EventKind.PERMISSION_REPORTED: {"count": 2, "person": ""},
    EventKind.SETTINGS_CHANGED: {"code": "music", "choice": "jazz"},
    EventKind.CHECKED: {"failed_step": "", "reason": ""},
    EventKind.RECONCILED: {
        "inspected": 1200,
        "recreated": 1,
        "restored": 0,
        "repaired": 2,
        "failed": 1,
        "reason": message("Not allowed.").as_json(),
    },
    EventKind.LINKS_RETRIED: {"count": 1},
    EventKind.DRIFT_FOUND: {
        "person": "Sam Okafor",
        "after": "matched",
        "is_other_user": True,
        "remote_user_name": "sam@contoso.example",
        "meetings": 1,
        "others": 0,
    },
    EventKind.CAPACITY_REACHED: {
        "organizer": "Sam Okafor",
        "meetings": 1600,
        "limit": 2000,
        "percent": 80,
        "window": "day",
        "window_start": "2026-11-30",
    },
    EventKind.NOTED: {"code": "music", "choice": "jazz"},
    EventKind.TOKEN_REFUSED: {"reason": message("The password has expired.").as_json()},
}
TEXTS = {
    EventKind.CONNECTED: "Teams was connected.",
    EventKind.REAUTHORIZED: "Teams was reauthorized.",
    EventKind.DISCONNECTED: (
        "Teams was disconnected. Upcoming appointments that keep their link: 2; that get none: 1."
    ),
    EventKind.MADE_DEFAULT: "Teams is the organisation's default now.",
    EventKind.MOVED_TO_DEFAULT: "2 people who had chosen it use the organisation's default now.",
    EventKind.RENAMED: "Teams is called Branches now.",
    EventKind.TURNED_ON: "Undone: Video Calls was turned on for Sam Okafor.",
    EventKind.TURNED_OFF: "Video Calls was turned off for 2 users.",
    EventKind.REMATCHED: "3 matched, 1 unmatched, 0 forbidden. 2 are still being checked.",
    EventKind.REMATCH_FAILED: "1 of 2 users were looked up. Microsoft is down.",
    EventKind.FIELD_CHANGED: "From Email to Username.",
    EventKind.USER_NAME_ADOPTED: "The username of Sam Okafor was sam and is sam.o now.",
    EventKind.USER_RECREATED: (
        "Sam Okafor and 2 others have new accounts at Microsoft Teams with the same user names. Upcoming meetings "
        "follow as soon as the new account may host."
    ),
    EventKind.PERMISSION_REPORTED: "The access policy was reported as granted for 2 users.",
    EventKind.SETTINGS_CHANGED: "Music: jazz.",
    EventKind.CHECKED: "Everything that was tried works.",
    EventKind.RECONCILED: (
        "1,200 meetings were compared with Microsoft Teams. 1 was missing there and made again. 2 did not agree with "
        "their appointments: that is fixed. 1 could not be compared: Not allowed."
    ),
    EventKind.LINKS_RETRIED: "1 failed link is tried again.",
    EventKind.DRIFT_FOUND: (
        "Drift watch: Sam Okafor would now be matched with another account (sam@contoso.example) and has 1 video "
        "appointment this week."
    ),
    EventKind.CAPACITY_REACHED: (
        "Coconut has made, changed or read 1,600 meetings of Sam Okafor on 30 November 2026: 80 % of the 2,000 that "
        "Microsoft Teams publishes as the most for one organizer in a day. Beyond that new links may be refused until "
        "the day is over."
    ),
    EventKind.NOTED: "Music: jazz.",
    EventKind.TOKEN_REFUSED: "The password has expired.",
}


@pytest.mark.parametrize("kind", EventKind)
@pytest.mark.usefixtures("fake_teams")
def test_every_kind_of_event_has_a_text(kind: EventKind) -> None:
    connection = Connection(platform="teams", connected_at=datetime(2026, 11, 30, tzinfo=UTC))

    event = ConnectionEvent(connection=connection, kind=kind, params=FACTS[kind])

    assert event_text(event) == TEXTS[kind]

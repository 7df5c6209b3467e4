"""Invariants after a fault, for every appointment, meeting and email.

`disagreements` compares Coconut's database with the simulated Microsoft, and describes each difference in a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from tests.stack import Stack

Row = dict[str, Any]

# The expected host and organizer come from the appointment and the match, not from the meeting under test.
APPOINTMENTS = """
SELECT a.id, a.status, a.starts_at, a.ends_at, a.meeting_id, s.name || ', ' || o.name AS subject,
       um.remote_id AS host, t.method, t.account_oid AS account
  FROM appointments_appointment a
  JOIN services_service s ON s.id = a.service_id
  JOIN staff_organization o ON o.id = a.organization_id
  LEFT JOIN integrations_meeting m ON m.id = a.meeting_id
  LEFT JOIN integrations_usermatch um ON um.connection_id = m.connection_id AND um.staff_id = a.staff_id
  LEFT JOIN teams_teamsconnection t ON t.connection_id = m.connection_id
 WHERE a.method = 3
"""
MEETINGS = """
SELECT m.id, m.desired_state, m.state, m.version, m.synced_version, m.join_url, m.remote_id, m.error_kind,
       m.error, m.warning, m.due_at, m.lease_token, m.recheck_at, c.status AS connection
  FROM integrations_meeting m JOIN integrations_connection c ON c.id = m.connection_id
"""
WAITING = """
SELECT 'an email to ' || array_to_string("to", ', ') FROM staff_outboxemail WHERE state = 'waiting'
UNION ALL
SELECT 'a rematch, ' || state FROM integrations_rematchrun WHERE finished_at IS NULL
UNION ALL
SELECT 'the connection ' || name || ' ' || status FROM integrations_connection
 WHERE status = 'needs_reauthorization'
"""


@dataclass(frozen=True)
class Seen:
    """Snapshot of both sides. `emails` has recipient and content of each email, `waiting` other open work."""

    appointments: list[Row]
    meetings: list[Row]
    remote: list[Row]
    emails: list[str]
    waiting: list[str]


def expect_agreement(stack: Stack, seconds: float = 90) -> None:
    """Wait until both sides agree. Fail with the differences after `seconds`."""
    found = ["No comparison was made."]

    def agrees() -> bool:
        found[:] = disagreements(look(stack))
        return not found

    try:
        stack.wait_until(agrees, seconds=seconds)
    except AssertionError as error:
        raise AssertionError("\n".join(found)) from error


def look(stack: Stack) -> Seen:
    """Take a snapshot. Microsoft is read last, as it must have what the rows promise."""
    return Seen(
        appointments=_rows(stack, APPOINTMENTS),
        meetings=_rows(stack, MEETINGS),
        waiting=[text for (text,) in stack.sql(WAITING)],
        emails=[_email_key(mail) for mail in stack.emails()],
        remote=[each for each in stack.simulator_state("meetings") if not each["deleted"]],
    )


def disagreements(seen: Seen) -> list[str]:
    """Return a sentence for each difference."""
    by_key = {meeting["id"]: meeting for meeting in seen.meetings}
    remote = {key: [each for each in seen.remote if each["external_id"] == key] for key in by_key}
    return [
        *(f"It waits: {text}." for text in seen.waiting),
        *(f"Sent more than once: {email}." for email, times in Counter(seen.emails).items() if times > 1),
        *_unknown_remote_meetings(seen, by_key),
        *_appointment_differences(seen, by_key, remote),
        *_meeting_differences(seen, remote),
    ]


def _unknown_remote_meetings(seen: Seen, by_key: dict[str, Row]) -> Iterator[str]:
    for each in seen.remote:
        if each["external_id"] not in by_key:
            yield f"No row owns the remote meeting {each['id']}."


def _appointment_differences(seen: Seen, by_key: dict[str, Row], remote: dict[str, list[Row]]) -> Iterator[str]:
    for appointment in seen.appointments:
        name = f"Appointment {appointment['id']}"
        meeting = by_key.get(appointment["meeting_id"] or "")
        is_wanted = meeting is not None and meeting["desired_state"] == "present"
        if appointment["status"] == "cancelled":
            if is_wanted:
                yield f"{name} is cancelled, its meeting is not."
        elif meeting is None or not is_wanted:
            yield f"{name} has no meeting."
        elif meeting["connection"] == "connected":
            yield from (f"{name}: {text}" for text in _compared(appointment, meeting, remote[meeting["id"]]))


def _compared(appointment: Row, meeting: Row, remote: list[Row]) -> Iterator[str]:
    if len(remote) != 1:
        yield f"there are {len(remote)} remote meetings."
        return
    (found,) = remote
    by_policy = appointment["method"] == "access_policy"
    attendees = [] if by_policy else [appointment["host"]]
    expected = {
        "id": meeting["remote_id"],
        "link": meeting["join_url"],
        "subject": appointment["subject"],
        "start": datetime.fromisoformat(appointment["starts_at"]),
        "end": datetime.fromisoformat(appointment["ends_at"]),
        "organizer": appointment["host"] if by_policy else appointment["account"],
        "attendees": attendees,
    }
    actual = {
        "id": found["id"],
        "link": found["join_web_url"],
        "subject": found["subject"],
        "start": datetime.fromisoformat(found["start"]),
        "end": datetime.fromisoformat(found["end"]),
        "organizer": found["organizer_id"],
        "attendees": [each["identity"]["user"]["id"] for each in found["attendees"]],
    }
    yield from (
        f"its {name} is {actual[name]}, not {expected[name]}." for name in expected if actual[name] != expected[name]
    )


def _meeting_differences(seen: Seen, remote: dict[str, list[Row]]) -> Iterator[str]:
    owned = {appointment["meeting_id"] for appointment in seen.appointments}
    for meeting in seen.meetings:
        name = f"Meeting {meeting['id']}"
        # After a disconnect `recheck_at` stays set for a later reconnect, and does not count as open work.
        open_ends = [
            "due_at",
            "lease_token",
            *(["recheck_at"] if meeting["connection"] == "connected" else []),
        ]
        if any(meeting[field] is not None for field in open_ends):
            yield f"{name} is not done with."
        if meeting["desired_state"] == "present" and meeting["id"] not in owned:
            yield f"{name} is live, and no appointment has it."
        ends = _end_while_connected if meeting["connection"] == "connected" else _end_of_disconnected
        yield from (f"{name} {text}" for text in ends(meeting, remote[meeting["id"]]))


def _end_while_connected(meeting: Row, remote: list[Row]) -> Iterator[str]:
    if meeting["error_kind"] or meeting["synced_version"] != meeting["version"]:
        yield f"does not agree: {meeting['error_kind']} {meeting['error']}"
    if meeting["desired_state"] == "absent" and (remote or meeting["state"] != "cancelled"):
        yield f"should be gone: it is {meeting['state']}, with {len(remote)} remote meetings."


def _end_of_disconnected(meeting: Row, remote: list[Row]) -> Iterator[str]:
    """Links stay. Meetings without a link, or that could not be deleted, say why."""
    has_reason = bool(meeting["warning"] or meeting["error"])
    match meeting["state"]:
        case "ready" if [each["join_web_url"] for each in remote] == [meeting["join_url"]]:
            return
        case "failed" if meeting["error"] and not remote:
            return
        case "cancelled" if has_reason or not remote:
            return
    yield f"is {meeting['state']} after the disconnect, with {len(remote)} remote meetings."


def _rows(stack: Stack, query: str) -> list[Row]:
    return [row for (row,) in stack.sql(f"SELECT row_to_json(found) FROM ({query}) AS found")]


def calendar_lines(mail: EmailMessage) -> list[str]:
    """Return the lines of the email's calendar entry, or an empty list."""
    entry = next((part for part in mail.walk() if part.get_content_type() == "text/calendar"), None)
    lines: list[str] = [] if entry is None else entry.get_content().splitlines()
    return lines


def _email_key(mail: EmailMessage) -> str:
    """Return the recipient and the appointment's version in the calendar entry, or the subject without an entry."""
    what = [line for line in calendar_lines(mail) if line.startswith(("UID", "SEQUENCE", "METHOD"))]
    return f"{mail['To']}: {', '.join(what) or mail['Subject']}"

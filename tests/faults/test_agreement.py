"""The comparison after each fault finds every kind of difference, and reports no correct state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.agreement import Row, Seen, disagreements

KEY, OTHER_KEY = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"


def appointment(**fields: Any) -> Row:
    row = {
        "id": 1,
        "status": "confirmed",
        "starts_at": "2026-12-07T15:00:00+00:00",
        "ends_at": "2026-12-07T15:45:00+00:00",
        "meeting_id": KEY,
        "subject": "Mortgage review, Maple Credit Union",
        "host": "sam-oid",
        "method": "service_account",
        "account": "account-oid",
    }
    return row | fields


def meeting(**fields: Any) -> Row:
    row = {
        "id": KEY,
        "desired_state": "present",
        "state": "ready",
        "version": 1,
        "synced_version": 1,
        "join_url": "https://teams.example/1",
        "remote_id": "remote-1",
        "error_kind": "",
        "error": {},
        "warning": {},
        "due_at": None,
        "lease_token": None,
        "recheck_at": None,
        "connection": "connected",
    }
    return row | fields


def remote(**fields: Any) -> Row:
    row = {
        "id": "remote-1",
        "external_id": KEY,
        "join_web_url": "https://teams.example/1",
        "subject": "Mortgage review, Maple Credit Union",
        "start": "2026-12-07T15:00:00Z",
        "end": "2026-12-07T15:45:00Z",
        "organizer_id": "account-oid",
        "attendees": [{"identity": {"user": {"id": "sam-oid"}}}],
    }
    return row | fields


AGREED = Seen([appointment()], [meeting()], [remote()], ["cleo: booked", "sam: booked"], [])
GONE = meeting(desired_state="absent", state="cancelled")
CANCELLED = replace(AGREED, appointments=[appointment(status="cancelled")], meetings=[GONE], remote=[])
LEFT = meeting(connection="disconnected")
UNMADE = meeting(
    connection="disconnected",
    state="failed",
    join_url="",
    remote_id="",
    synced_version=0,
    error_kind="ended",
    error={"code": "meeting.disconnected_without_link"},
)


def test_a_synced_meeting_is_no_difference() -> None:
    assert disagreements(AGREED) == []


def test_a_deleted_meeting_of_a_cancelled_appointment_is_no_difference() -> None:
    assert disagreements(CANCELLED) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"remote": []},
        {"remote": [remote(), remote(id="remote-2")]},
        {"remote": [remote(), remote(id="remote-2", external_id=OTHER_KEY)]},
        {"remote": [remote(), remote(id="remote-2", external_id=None)]},
        {"remote": [remote(id="remote-2")]},
        {"remote": [remote(join_web_url="https://teams.example/2")]},
        {"remote": [remote(subject="Something else")]},
        {"remote": [remote(start="2026-12-07T14:00:00Z")]},
        {"remote": [remote(end="2026-12-07T15:30:00Z")]},
        {"remote": [remote(organizer_id="sam-oid")]},
        {"remote": [remote(attendees=[])]},
        {"remote": [remote(attendees=[{"identity": {"user": {"id": "anna-oid"}}}])]},
        {"appointments": [appointment(meeting_id=None)]},
        {"appointments": [appointment(status="cancelled")]},
        {"appointments": []},
        {"meetings": []},
        {"meetings": [meeting(due_at="2026-12-01T00:00:00Z")]},
        {"meetings": [meeting(lease_token=OTHER_KEY)]},
        {"meetings": [meeting(recheck_at="2026-12-01T00:00:00Z")]},
        {"meetings": [meeting(synced_version=0)]},
        {"meetings": [meeting(error_kind="bug")]},
        {"meetings": [GONE]},
        {"emails": ["cleo: booked", "cleo: booked"]},
        {"waiting": ["an email to cleo"]},
    ],
    ids=str,
)
def test_every_other_state_is_a_difference(wrong: dict[str, Any]) -> None:
    assert disagreements(replace(AGREED, **wrong)) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"remote": [remote()]},
        {"meetings": [meeting(desired_state="absent", state="cancelling", synced_version=0)]},
    ],
    ids=str,
)
def test_an_existing_meeting_of_a_cancelled_appointment_is_a_difference(wrong: dict[str, Any]) -> None:
    assert disagreements(replace(CANCELLED, **wrong)) != []


@pytest.mark.parametrize(
    ("row", "left"),
    [(LEFT, [remote(start="2026-12-01T15:00:00Z")]), (UNMADE, [])],
    ids=["a link stays", "no link, and why"],
)
def test_allowed_states_after_a_disconnect_are_no_difference(row: Row, left: list[Row]) -> None:
    assert disagreements(replace(AGREED, meetings=[row], remote=left)) == []


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (LEFT, []),
        (LEFT, [remote(join_web_url="https://teams.example/2")]),
        (LEFT | {"due_at": "2026-12-01T00:00:00Z"}, [remote()]),
        (UNMADE, [remote()]),
        (UNMADE | {"error": {}}, []),
        (UNMADE | {"state": "pending"}, []),
    ],
    ids=["no meeting", "another link", "still due", "a meeting nobody knows", "no reason", "it waits"],
)
def test_other_states_after_a_disconnect_are_differences(row: Row, left: list[Row]) -> None:
    assert disagreements(replace(AGREED, meetings=[row], remote=left)) != []

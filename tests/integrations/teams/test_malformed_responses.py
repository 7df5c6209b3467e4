"""Graph may answer anything: only PlatformError leaves the client.

Hypothesis draws statuses, headers and bodies, mostly close to real ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from integrations.matching.people import rematch_people
from integrations.models import Connection, ConnectionStatus, MatchStatus, UserMatch
from integrations.platforms.values import Attendee, MeetingSpec, PlatformError
from integrations.teams import meetings
from integrations.teams.access_policy.probe import probe
from integrations.teams.entra.user_tokens import IssuedToken
from integrations.teams.graph import client as graph
from integrations.teams.graph.me import read_account, read_tenant_name
from integrations.teams.http import LONGEST_PAUSE_SECONDS, retry_after
from integrations.teams.models import Method
from integrations.teams.users.delta import changes_since
from integrations.teams.users.lookup import open_directory
from staff.models import StaffMember
from tests import hypothesis_profiles  # noqa: F401
from tests.factories import make_member

ROOT = "https://graph.microsoft.com/v1.0"
OID = "5a300000-0000-4000-8000-000000000001"
STRANGE_TEXTS = [
    "",
    "\x00",
    "\ud800",
    "a" * 5000,
    "9999-12-31T23:59:59-05:00",
    "0001-01-01T00:00:00+14:00",
    "2026-12-01T15:00:00Z",
    "sam@maple.example",
    OID,
    f"{ROOT}/users?$skiptoken=2",
    f"{ROOT}/\ud800",
    "https://[",
    "https://teams.microsoft.com/meet/1",
]
MEMBERS = [
    "value",
    "id",
    "userPrincipalName",
    "displayName",
    "mail",
    "proxyAddresses",
    "assignedPlans",
    "accountEnabled",
    "userType",
    "@odata.nextLink",
    "@odata.deltaLink",
    "@removed",
    "joinWebUrl",
    "externalId",
    "subject",
    "startDateTime",
    "endDateTime",
    "participants",
    "attendees",
    "identity",
    "user",
    "error",
    "code",
    "message",
    "innerError",
    "responses",
    "status",
    "headers",
    "body",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 600),
    st.sampled_from([10**400, -(10**400), 1e308, float("nan"), float("inf")]),
    st.sampled_from(STRANGE_TEXTS),
    st.text(max_size=20),
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=20,
)
USERS = st.fixed_dictionaries(
    {"id": SCALARS, "userPrincipalName": SCALARS}, optional={"mail": SCALARS, "body": JSON_VALUES}
)
PAGES = st.fixed_dictionaries(
    {"value": st.lists(USERS | JSON_VALUES, max_size=3)},
    optional={"@odata.nextLink": SCALARS, "@odata.deltaLink": SCALARS},
)
MEETINGS = st.fixed_dictionaries(
    {"id": st.just("MSo1") | SCALARS, "joinWebUrl": st.just("https://teams.microsoft.com/meet/1") | SCALARS},
    optional={"startDateTime": SCALARS, "endDateTime": SCALARS, "participants": JSON_VALUES, "subject": SCALARS},
)
ERRORS = st.fixed_dictionaries(
    {"error": st.fixed_dictionaries({}, optional={"code": SCALARS, "message": JSON_VALUES}) | SCALARS}
)
ITEMS = st.fixed_dictionaries(
    {"id": st.sampled_from(["0", "1"]), "status": st.sampled_from([200, 202, 204, 400, 404, 429, 503]) | SCALARS},
    optional={"headers": JSON_VALUES, "body": PAGES | ERRORS | JSON_VALUES},
)
BATCHES = st.fixed_dictionaries({"responses": st.lists(ITEMS, min_size=1, max_size=2) | JSON_VALUES})
PAUSES = st.sampled_from(
    [
        "0",
        "9" * 30,
        "-1",
        "1e9",
        "Mon, 30 Nov 2026 10:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 1 Jan 0001 00:00:00 +2359",
        "Mon, 30 Nov 2026 25:61:61 +9999",
        "1 Jan 99999 00:00:00 GMT",
    ]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": PAUSES,
        "request-id": st.sampled_from(["r-1", "a\x00b", "é" * 200]),
        "Location": st.sampled_from(["http://[", "/x"]),
    },
)


@st.composite
def raw_bodies(draw: st.DrawFn) -> bytes:
    """Return bytes, or JSON that may be cut off."""
    if draw(st.booleans()):
        return draw(
            st.binary(max_size=50) | st.sampled_from([b"", b"[" * 100_000, b"9" * 5000, b"<html></html>", b"\xff\xfe"])
        )
    text = json.dumps(draw(JSON_VALUES | PAGES | MEETINGS | ERRORS | BATCHES)).encode()
    return text[: draw(st.just(len(text)) | st.integers(0, len(text)))]


STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 301, 302, 400, 401, 403, 404, 409, 410, 429, 500, 503, 599])
ANSWERS = st.tuples(STATUSES, HEADERS, raw_bodies())


KEY = UUID("7d9f7a0e-1f6f-4c55-8f0a-0d3c2b1a0001")
STARTS = datetime(2026, 12, 1, 15, tzinfo=UTC)
SPEC = MeetingSpec(KEY, OID, "Review", STARTS, STARTS + timedelta(hours=1), (Attendee(OID, "sam@maple.example"),))
NAMES = ["sam@maple.example", "o'brien@maple.example"]
CALLS: dict[str, Callable[[Connection], object]] = {
    "create": lambda connection: meetings.create_meeting(connection, SPEC),
    "find": lambda connection: meetings.find_meeting(connection, SPEC),
    "read": lambda connection: meetings.read_meeting(connection, OID, "MSo1"),
    "update": lambda connection: meetings.update_meeting(connection, "MSo1", SPEC),
    "delete": lambda connection: meetings.delete_meeting(connection, OID, "MSo1"),
    "probe": lambda connection: probe(connection, [OID, OID.replace("1", "2")]),
    "names": lambda connection: open_directory(connection, 2).find(NAMES),
    "listing": lambda connection: open_directory(connection, 5000).find(NAMES),
    "delta": lambda connection: changes_since(connection, ""),
    "changes": lambda connection: changes_since(connection, f"{ROOT}/users/delta?$deltatoken=x"),
    "profile": lambda _connection: read_account("token"),
    "tenant": lambda _connection: read_tenant_name("token"),
}
ANY_URL = re.compile(r"https://graph\.microsoft\.com/.*", re.DOTALL)

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def by_policy(connected: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection by access policy, with a token that is never refreshed."""
    monkeypatch.setattr(graph, "current_token", lambda connection, refused="": IssuedToken("token", 1))
    teams = connected.teams
    teams.method, teams.granted = Method.ACCESS_POLICY, ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    teams.save()
    return connected


@contextmanager
def answered_with(answer: Answer) -> Iterator[None]:
    """Answer every request to Graph with status, headers and body."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            server.add_callback(method, ANY_URL, lambda _request: answer)
        yield


@pytest.mark.parametrize("name", CALLS)
@given(answer=ANSWERS)
def test_a_call_raises_nothing_but_platform_errors(by_policy: Connection, name: str, answer: Answer) -> None:
    error: PlatformError | None = None
    with answered_with(answer):
        try:
            CALLS[name](by_policy)
        except PlatformError as raised:
            error = raised

    assert error is None or error.message.in_english() != ""


@given(answer=ANSWERS)
def test_a_rematch_stores_only_valid_values(by_policy: Connection, answer: Answer) -> None:
    sam = StaffMember.objects.filter(email=NAMES[0]).first() or make_member(by_policy.organization)
    UserMatch.objects.all().delete()
    Connection.objects.update(status=ConnectionStatus.CONNECTED, paused_until=None, probe_at=None)

    with answered_with(answer):
        rematch_people(by_policy, [sam.pk])

    assert {match.status for match in UserMatch.objects.all()} <= set(MatchStatus.values)


@given(answer=ANSWERS)
def test_a_link_is_never_stored_without_a_usable_answer(by_policy: Connection, answer: Answer) -> None:
    with answered_with(answer), suppress(PlatformError):
        meeting = meetings.create_meeting(by_policy, SPEC)

        assert meeting.join_url.startswith("https://")
        assert meeting.remote_id != ""
        assert answer[0] in (200, 201)


@given(header=PAUSES)
def test_a_pause_is_between_nothing_and_an_hour(header: str) -> None:
    seconds = retry_after({"Retry-After": header})

    assert seconds is None or 0 <= seconds <= LONGEST_PAUSE_SECONDS

"""Requests for meetings, and validation of Graph's responses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
import responses

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import Attendee, ErrorScope, MatchReason, MeetingSpec, PlatformError
from integrations.teams.meetings import (
    create_meeting,
    delete_meeting,
    find_meeting,
    read_meeting,
    update_meeting,
)
from integrations.teams.models import Method
from integrations.teams.platform import Teams
from tests.factories import SERVICE_ACCOUNT_ID

MEETINGS = "https://graph.microsoft.com/v1.0/me/onlineMeetings"
SAM_ID = "5a300000-0000-4000-8000-000000000001"
OF_SAM = f"https://graph.microsoft.com/v1.0/users/{SAM_ID}/onlineMeetings"
LINK = "https://teams.microsoft.com/meet/123?p=abc"
ANSWER = {
    "id": "MSo1",
    "joinWebUrl": LINK,
    "subject": "Mortgage review",
    "startDateTime": "2026-12-01T15:00:00.0000000Z",
    "endDateTime": "2026-12-01T15:30:00Z",
    "participants": {"attendees": [{"identity": {"user": {"id": SAM_ID}}, "role": "coorganizer"}]},
    "somethingNew": {"nobody": "knows"},
}


@pytest.fixture
def graph_server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield server


@pytest.fixture
def by_policy(connected):
    connected.teams.method = Method.ACCESS_POLICY
    return connected


@pytest.fixture
def spec():
    return MeetingSpec(
        key=UUID("7d9f7a0e-1f6f-4c55-8f0a-0d3c2b1a0001"),
        organizer_id=SERVICE_ACCOUNT_ID,
        subject="Mortgage\nreview",
        # Not UTC, but requests must be in UTC.
        starts_at=datetime(2026, 12, 1, 10, tzinfo=timezone(timedelta(hours=-5))),
        ends_at=datetime(2026, 12, 1, 10, 30, tzinfo=timezone(timedelta(hours=-5))),
        attendees=(Attendee(SAM_ID, "sam@maple.example"),),
    )


def sent(graph_server) -> list[dict[str, object]]:
    return [json.loads(call.request.body) for call in graph_server.calls]


def refusal(status: int, code: str = "Forbidden", message: str = "") -> dict[str, object]:
    return {"status": status, "json": {"error": {"code": code, "message": message}}}


# --- creating ---------------------------------------------------------------------------------------
def test_a_create_sends_the_key_and_the_time_and_no_options(connected, graph_server, spec):
    graph_server.post(f"{MEETINGS}/createOrGet", status=201, json=ANSWER)

    meeting = create_meeting(connected, spec)

    assert sent(graph_server) == [
        {
            "externalId": "7d9f7a0e-1f6f-4c55-8f0a-0d3c2b1a0001",
            "subject": "Mortgage review",
            "startDateTime": "2026-12-01T15:00:00Z",
            "endDateTime": "2026-12-01T15:30:00Z",
        }
    ]
    assert (meeting.remote_id, meeting.join_url, meeting.subject) == ("MSo1", LINK, "Mortgage review")
    assert meeting.starts_at == spec.starts_at
    assert meeting.ends_at == spec.ends_at
    assert meeting.attendee_ids == {SAM_ID}


def test_a_response_with_another_key_is_unusable(connected, graph_server, spec):
    graph_server.post(f"{MEETINGS}/createOrGet", json={**ANSWER, "externalId": "another"})

    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, spec)

    assert failure.value.kind == ErrorKind.UNUSABLE


@pytest.mark.parametrize("key", [None, "7D9F7A0E-1F6F-4C55-8F0A-0D3C2B1A0001"])
def test_a_missing_or_uppercase_key_is_accepted(connected, graph_server, spec, key):
    graph_server.post(f"{MEETINGS}/createOrGet", json={**ANSWER, "externalId": key})

    assert create_meeting(connected, spec).join_url == LINK


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": "x" * 501},
        {"id": "a\x00"},
        {"joinWebUrl": None},
        {"joinWebUrl": ""},
        {"joinWebUrl": "javascript:alert(1)"},
        {"joinWebUrl": "http://teams.microsoft.com/meet/1"},
        {"joinWebUrl": "//teams.microsoft.com/meet/1"},
        {"joinWebUrl": "https://teams.microsoft.com/\r\nSet-Cookie: a=b"},
        {"joinWebUrl": "https://teams.microsoft.com/ x"},
        {"joinWebUrl": ["https://teams.microsoft.com/"]},
    ],
)
def test_a_response_without_a_meeting_is_unusable_and_ambiguous(connected, graph_server, spec, change):
    answer = {**ANSWER, **change}
    graph_server.post(f"{MEETINGS}/createOrGet", json=answer, headers={"request-id": "microsofts-id"})

    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, spec)

    assert (failure.value.kind, failure.value.request_id) == (ErrorKind.UNUSABLE, "microsofts-id")
    assert failure.value.ambiguous is True


@pytest.mark.parametrize(
    "answer",
    [
        {"json": None},
        {"json": []},
        {"json": "MSo1"},
        {"json": 7},
        {"json": {}},
        {"body": b""},
        {"status": 202, "body": b""},
        {"status": 202, "json": ANSWER},
        {"status": 204, "body": b""},
    ],
)
def test_a_create_without_a_usable_answer_may_be_repeated(connected, graph_server, spec, answer):
    graph_server.post(f"{MEETINGS}/createOrGet", **answer)

    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, spec)

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.UNUSABLE, True)


@pytest.mark.parametrize("answer", [{"json": []}, {"json": {}}, {"body": b""}, {"status": 202}, {"status": 204}])
def test_a_read_without_a_usable_answer_may_be_repeated(connected, graph_server, answer):
    graph_server.get(f"{MEETINGS}/MSo1", **answer)

    with pytest.raises(PlatformError) as failure:
        read_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1")

    assert (failure.value.kind, failure.value.ambiguous) == (ErrorKind.UNUSABLE, False)


@pytest.mark.parametrize("answer", [{"status": 202}, {"json": ["?"]}, {"json": "?"}])
def test_an_update_without_a_usable_answer_may_be_repeated(connected, graph_server, spec, answer):
    graph_server.patch(f"{MEETINGS}/MSo1", **answer)

    with pytest.raises(PlatformError) as failure:
        update_meeting(connected, "MSo1", spec)

    assert (failure.value.kind, failure.value.ambiguous, len(graph_server.calls)) == (ErrorKind.UNUSABLE, True, 1)


def test_an_update_may_be_answered_without_a_body(connected, graph_server, spec):
    graph_server.patch(f"{MEETINGS}/MSo1", status=204)

    assert update_meeting(connected, "MSo1", spec) == Message()


def test_a_delete_that_was_only_accepted_is_repeated(connected, graph_server):
    graph_server.delete(f"{MEETINGS}/MSo1", status=202)

    with pytest.raises(PlatformError) as failure:
        delete_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1")

    assert failure.value.kind == ErrorKind.UNUSABLE


@pytest.mark.parametrize(
    "change",
    [
        {
            "subject": None,
            "startDateTime": "0001-01-01T00:00:00Z",
            "endDateTime": "soon",
            "participants": None,
        },
        {"subject": 7, "startDateTime": None, "endDateTime": 7, "participants": {"attendees": "?"}},
        {
            "subject": [],
            "startDateTime": "",
            "endDateTime": {},
            "participants": {"attendees": [None, {}, {"identity": None}, {"identity": {"user": {"id": 7}}}]},
        },
    ],
)
def test_unusual_optional_members_are_accepted(connected, graph_server, spec, change):
    graph_server.post(f"{MEETINGS}/createOrGet", json={**ANSWER, **change})

    meeting = create_meeting(connected, spec)

    assert (meeting.join_url, meeting.subject) == (LINK, "")
    assert (meeting.starts_at, meeting.ends_at, meeting.attendee_ids) == (None, None, frozenset())


def test_links_of_any_length_and_form_are_stored_unchanged(connected, graph_server, spec):
    link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b" + "a" * 2500
    graph_server.post(f"{MEETINGS}/createOrGet", json={**ANSWER, "joinWebUrl": link})

    assert create_meeting(connected, spec).join_url == link


def test_a_request_for_another_organizer_than_the_account_is_never_sent(connected, graph_server, spec):
    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, replace(spec, organizer_id=SAM_ID))

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.PERSON, 0)
    assert str(failure.value).startswith("This meeting belongs to a former service account")


def test_a_meeting_of_a_former_account_counts_as_deleted_without_a_call(connected, graph_server, spec):
    delete_meeting(connected, SAM_ID, "MSo1")
    found = Teams().find_meeting(connected, replace(spec, organizer_id=SAM_ID))

    assert (found, len(graph_server.calls)) == (None, 0)


@pytest.mark.parametrize("organizer", ["sam@maple.example", "", "../me", f"{SAM_ID}/../x"])
def test_under_a_policy_the_path_contains_only_an_object_id(by_policy, graph_server, spec, organizer):
    with pytest.raises(PlatformError) as failure:
        create_meeting(by_policy, replace(spec, organizer_id=organizer))

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.BUG, 0)


def test_under_a_policy_a_refusal_concerns_the_person(by_policy, graph_server, spec):
    graph_server.post(f"{OF_SAM}/createOrGet", **refusal(403, message="9024: no licence"))

    with pytest.raises(PlatformError) as failure:
        create_meeting(by_policy, replace(spec, organizer_id=SAM_ID))

    assert (failure.value.kind, failure.value.reason) == (ErrorKind.PERSON, MatchReason.NO_LICENCE)


def test_under_a_service_account_a_refusal_names_the_account(connected, graph_server, spec):
    graph_server.post(f"{MEETINGS}/createOrGet", **refusal(403, message="9024: no licence"))

    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, spec)

    assert (failure.value.kind, failure.value.reason) == (ErrorKind.PERSON, None)
    assert "the service account coconut-meetings@contoso.example" in str(failure.value)


def test_subjects_are_cleaned(connected, graph_server, spec):
    graph_server.post(f"{MEETINGS}/createOrGet", json=ANSWER)

    create_meeting(connected, replace(spec, subject="می\u200cخواهم\r\n" + "é" * 300))

    assert sent(graph_server)[0]["subject"] == "می\u200cخواهم " + "é" * 246


# --- updating ---------------------------------------------------------------------------------------
def test_an_update_sends_the_whole_desired_state(connected, graph_server, spec):
    graph_server.patch(f"{MEETINGS}/MSo1", json=ANSWER)

    warning = update_meeting(connected, "MSo1", spec)

    assert not warning
    assert sent(graph_server) == [
        {
            "subject": "Mortgage review",
            "startDateTime": "2026-12-01T15:00:00Z",
            "endDateTime": "2026-12-01T15:30:00Z",
            "participants": {
                "attendees": [
                    {
                        "identity": {"user": {"id": SAM_ID}},
                        "upn": "sam@maple.example",
                        "role": "coorganizer",
                    }
                ]
            },
            "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": False},
            "allowedPresenters": "roleIsPresenter",
        }
    ]


def test_a_refused_co_organizer_and_the_previous_one_are_left_out(connected, graph_server, spec):
    for _ in range(2):
        graph_server.patch(f"{MEETINGS}/MSo1", **refusal(400, "BadRequest"))
    graph_server.patch(f"{MEETINGS}/MSo1", json=ANSWER)

    warning = update_meeting(connected, "MSo1", spec)

    assert "co-organizer" in str(warning)
    assert sent(graph_server)[-1] == {
        "subject": "Mortgage review",
        "startDateTime": "2026-12-01T15:00:00Z",
        "endDateTime": "2026-12-01T15:30:00Z",
        "participants": {"attendees": []},
    }


def test_an_update_refused_in_every_form_fails(connected, graph_server, spec):
    graph_server.patch(f"{MEETINGS}/MSo1", **refusal(400, "BadRequest"))

    with pytest.raises(PlatformError) as failure:
        update_meeting(connected, "MSo1", spec)

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.BUG, 3)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, message="No application access policy found for this app"),
        refusal(403, message="9024: TeamsMeetingProcessorException"),
        refusal(404, "NotFound", "3004: Specified meeting is not found"),
        refusal(429, "TooManyRequests"),
        refusal(503, "serviceNotAvailable"),
        refusal(403, "Authorization_RequestDenied"),
    ],
)
def test_a_refusal_unrelated_to_options_is_not_sent_again(by_policy, graph_server, spec, answer):
    graph_server.patch(f"{OF_SAM}/MSo1", **answer)

    with pytest.raises(PlatformError):
        update_meeting(by_policy, "MSo1", replace(spec, organizer_id=SAM_ID))

    assert len(graph_server.calls) == 1


def test_an_id_is_quoted_as_one_segment(connected, graph_server):
    graph_server.get(f"{MEETINGS}/a%2Fb%23c%3D", json=ANSWER)

    assert read_meeting(connected, SERVICE_ACCOUNT_ID, "a/b#c=").remote_id == "MSo1"


@pytest.mark.parametrize("remote_id", ["", "..", ".", "a\n", "a/../../users/x"])
def test_an_id_that_could_lead_elsewhere_is_never_sent(connected, graph_server, remote_id):
    with pytest.raises(PlatformError) as failure:
        delete_meeting(connected, SERVICE_ACCOUNT_ID, remote_id)

    assert (failure.value.kind, len(graph_server.calls)) == (ErrorKind.BUG, 0)


# --- deleting ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("answer", [{"status": 204}, refusal(404, "NotFound", "3004: x"), refusal(404, "UnknownError")])
def test_a_missing_meeting_counts_as_deleted(connected, graph_server, answer):
    graph_server.delete(f"{MEETINGS}/MSo1", **answer)

    delete_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1")

    assert len(graph_server.calls) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 404, "body": "<html>Not Found</html>"}, ErrorKind.OUTAGE),
        (refusal(400, "BadRequest", "Meeting Id is corrupted."), ErrorKind.BUG),
        (refusal(403), ErrorKind.PERSON),
    ],
)
def test_other_errors_do_not_count_as_deleted(connected, graph_server, answer, kind):
    graph_server.delete(f"{MEETINGS}/MSo1", **answer)

    with pytest.raises(PlatformError) as failure:
        delete_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1")

    assert failure.value.kind == kind


def test_times_are_aware_and_in_utc(connected, graph_server):
    graph_server.get(f"{MEETINGS}/MSo1", json={**ANSWER, "startDateTime": "2026-12-01T16:00:00.1234567+01:00"})

    meeting = read_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1")

    assert meeting.starts_at == datetime(2026, 12, 1, 15, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00", "2026-12-01T25:00:00Z"])
def test_a_time_beyond_the_calendar_is_unknown(connected, graph_server, time):
    graph_server.get(f"{MEETINGS}/MSo1", json={**ANSWER, "endDateTime": time})

    assert read_meeting(connected, SERVICE_ACCOUNT_ID, "MSo1").ends_at is None


# --- deleted organizers -----------------------------------------------------------------------------
UNKNOWN_USER = refusal(404, "Request_ResourceNotFound", "Resource does not exist.")
USER = f"https://graph.microsoft.com/v1.0/users/{SAM_ID}"
REFUSED_ORGANIZER = [
    refusal(404, "UnknownError"),
    refusal(403, message="No application access policy found for this app"),
    refusal(403),
]


@pytest.mark.parametrize("answer", REFUSED_ORGANIZER)
def test_a_meeting_of_a_deleted_organizer_counts_as_deleted(by_policy, graph_server, answer):
    graph_server.delete(f"{OF_SAM}/MSo1", **answer)
    graph_server.get(USER, **UNKNOWN_USER)

    delete_meeting(by_policy, SAM_ID, "MSo1")

    assert graph_server.calls[0].request.method == "DELETE"


@pytest.mark.parametrize("answer", REFUSED_ORGANIZER)
def test_a_deleted_organizer_has_no_meeting_to_find(by_policy, graph_server, spec, answer):
    graph_server.post(f"{OF_SAM}/createOrGet", **answer)
    graph_server.get(USER, **UNKNOWN_USER)

    assert find_meeting(by_policy, replace(spec, organizer_id=SAM_ID)) is None


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"json": {"id": SAM_ID}}, ErrorKind.PERSON),
        ({"status": 503}, ErrorKind.OUTAGE),
        ({"status": 429}, ErrorKind.THROTTLED),
    ],
)
def test_a_refused_delete_fails_or_waits_until_it_is_clear_whether_the_organizer_exists(
    by_policy, graph_server, user, kind
):
    graph_server.delete(f"{OF_SAM}/MSo1", **refusal(403))
    graph_server.get(USER, **user)

    with pytest.raises(PlatformError) as failure:
        delete_meeting(by_policy, SAM_ID, "MSo1")

    assert failure.value.kind == kind


# --- limits of one organizer ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "scope"),
    [
        ({}, ErrorScope.UNCLEAR),
        ({"x-ms-throttle-scope": "Tenant_Application/ReadWrite/c0c0/7e0a"}, ErrorScope.CONNECTION),
        ({"x-ms-throttle-scope": "Application/ReadWrite/c0c0"}, ErrorScope.CONNECTION),
    ],
)
def test_a_limit_may_be_that_of_the_named_organizer(by_policy, graph_server, spec, header, scope):
    graph_server.post(f"{OF_SAM}/createOrGet", **refusal(429, "TooManyRequests"), headers=header)

    with pytest.raises(PlatformError) as failure:
        create_meeting(by_policy, replace(spec, organizer_id=SAM_ID))

    assert (failure.value.kind, failure.value.scope) == (ErrorKind.THROTTLED, scope)


def test_a_limit_of_the_service_account_concerns_the_connection(connected, graph_server, spec):
    graph_server.post(f"{MEETINGS}/createOrGet", **refusal(429, "TooManyRequests"))

    with pytest.raises(PlatformError) as failure:
        create_meeting(connected, spec)

    assert failure.value.scope == ErrorScope.CONNECTION

"""Online meeting endpoints: create, createOrGet, get, find by link, update, delete.

Microsoft: onlinemeeting-createorget, onlinemeeting-update and their sibling pages.
"""

import base64
import binascii
import datetime as dt
import re
import uuid
from typing import Any

from simulator.directory import Person
from simulator.graph import meeting_json
from simulator.graph.access import Caller
from simulator.graph.protocol import VERSION_ROOT, GraphError, GraphRequest, GraphResponse
from simulator.meetings import Meeting
from simulator.store import Store

READ_PERMISSIONS = (
    ("OnlineMeetings.Read", "OnlineMeetings.ReadWrite"),
    ("OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"),
)
WRITE_PERMISSIONS = (("OnlineMeetings.ReadWrite",), ("OnlineMeetings.ReadWrite.All",))
LOOKUP_FILTER = re.compile(
    r"\s*(JoinWebUrl|joinMeetingIdSettings/joinMeetingId|VideoTeleconferenceId)\s+eq\s+'(.*)'\s*",
    re.IGNORECASE | re.DOTALL,
)
WELL_FORMED_LINK = re.compile(
    r"https://teams\.microsoft\.com/l/meetup-join/19(%3a|:)meeting_[\w%=+/-]+(%40|@)thread\.v2/0\?context=.+"
    r"|https://teams\.microsoft\.com/meet/\d+\?p=\S+|https?://[^/\s]+/meet/\d+\?p=\S+",
    re.IGNORECASE,
)
ORGANIZER_IN_LINK = re.compile(r"Oid(?:%22|\")(?:%3a|:)(?:%22|\")([0-9a-f-]{36})", re.IGNORECASE)


def meeting_not_found() -> GraphError:
    return GraphError(404, "NotFound", "3004: Specified meeting is not found")


def find_organizer(store: Store, caller: Caller, key: str | None) -> Person:
    """Return the user whose meetings the path names.

    Raises 404 UnknownError unless the key is an object id (msgraph-sdk-dotnet issue 1215).
    Raises 403 if a person names another person, or if no application access policy allows the app.
    """
    if key is None:
        return caller.signed_in_person()
    try:
        uuid.UUID(key)
    except ValueError as error:
        raise GraphError(404, "UnknownError") from error
    person = caller.tenant.by_id(key)
    if person is None:
        if caller.person is None and store.behaviour.deleted_organizer == "forbidden":
            raise _no_policy(caller, key)
        raise GraphError(404, "UnknownError")
    if caller.person is not None and caller.person is not person:
        raise GraphError(403, "Forbidden")
    if caller.person is None and not caller.tenant.policy_allows(person, caller.client_id):
        raise _no_policy(caller, person.id)
    return person


def _no_policy(caller: Caller, oid: str) -> GraphError:
    text = f"No application access policy found for this app {caller.client_id} on the user [{oid}]"
    return GraphError(403, "Forbidden", text)


def route_request(
    store: Store, caller: Caller, request: GraphRequest, key: str | None, rest: tuple[str, ...]
) -> GraphResponse:
    """Run a request below `/me/onlineMeetings` or `/users/{id}/onlineMeetings`."""
    if key is None:
        caller.signed_in_person()
    caller.require_permission(*(READ_PERMISSIONS if request.method == "GET" else WRITE_PERMISSIONS))
    organizer = find_organizer(store, caller, key)
    match (request.method, rest):
        case ("POST", ()):
            return create_meeting(store, request, caller, organizer)
        case ("POST", ("createOrGet" | "microsoft.graph.createOrGet",)):
            return create_or_get(store, request, caller, organizer)
        case ("GET", ()):
            return find_by_filter(store, request, caller, organizer)
        case ("GET", (meeting_id,)):
            meeting = _find_meeting(store, caller, meeting_id)
            if not meeting.can_be_read_by(organizer.id):
                raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
            store.meetings.counters["get"] += 1
            return _meeting_response(store, request, meeting)
        case ("PATCH", (meeting_id,)):
            return update_meeting(store, request, _find_own_meeting(store, caller, organizer, meeting_id))
        case ("DELETE", (meeting_id,)):
            store.meetings.delete(_find_own_meeting(store, caller, organizer, meeting_id))
            store.meetings.counters["delete"] += 1
            return GraphResponse(204)
    raise GraphError(405, "UnknownError", "Specified HTTP method is not allowed for the request target.")


def _find_meeting(store: Store, caller: Caller, meeting_id: str) -> Meeting:
    try:
        readable = base64.b64decode(meeting_id, validate=True).startswith(b"1*")
    except (binascii.Error, ValueError):
        readable = False
    if not readable:
        raise GraphError(400, "BadRequest", "Meeting Id is corrupted.")
    meeting = store.meetings.get(meeting_id)
    if meeting is None or meeting.deleted or meeting.tenant_id != caller.tenant.id:
        raise meeting_not_found()
    return meeting


def _find_own_meeting(store: Store, caller: Caller, organizer: Person, meeting_id: str) -> Meeting:
    meeting = _find_meeting(store, caller, meeting_id)
    if meeting.organizer_id != organizer.id:
        raise GraphError(403, "Forbidden")
    return meeting


def _meeting_response(store: Store, request: GraphRequest, meeting: Meeting, status: int = 200) -> GraphResponse:
    return GraphResponse(status, _render_meeting(store, request, meeting))


def _render_meeting(store: Store, request: GraphRequest, meeting: Meeting) -> dict[str, Any]:
    organizer = store.directory.tenants[meeting.tenant_id].by_id(meeting.organizer_id)
    language = request.headers.get("accept-language", "en-us").partition(",")[0]
    return meeting_json.render_meeting(meeting, organizer, request.includes_unknown_enum_members, language)


def _check_organizer(store: Store, organizer: Person) -> None:
    """Raise an error if the person can't organize meetings.

    Microsoft documents no single code; reports are in msgraph-sdk-java issue 1836.
    """
    if organizer.guest or not organizer.enabled:
        raise GraphError(403, "Forbidden")
    if organizer.licensed:
        return
    behaviour = store.behaviour.unlicensed_answer
    if behaviour == "not_found":
        raise GraphError(404, "UnknownError")
    text = "9024: TeamsMeetingProcessorException: The organizer has no licence for Microsoft Teams."
    raise GraphError(403, "Forbidden", "" if behaviour == "empty" else text)


def _read_times(body: dict[str, Any]) -> tuple[str, str]:
    start, end = meeting_json.parse_time(body, "startDateTime"), meeting_json.parse_time(body, "endDateTime")
    if start is None and end is not None:
        raise meeting_json.bad_request("The endDateTime cannot be given without a startDateTime.")
    start = start or dt.datetime.now(dt.UTC)
    end = end or start + dt.timedelta(hours=1)
    if end < start:
        raise meeting_json.bad_request("The endDateTime must not be earlier than the startDateTime.")
    return meeting_json.format_time(start), meeting_json.format_time(end)


def _add_meeting(
    store: Store,
    request: GraphRequest,
    caller: Caller,
    organizer: Person,
    body: dict[str, Any],
    **values: Any,
) -> Meeting:
    start, end = _read_times(body)
    attendees = meeting_json.parse_attendees(body) or []
    _check_organizer(store, organizer)
    return store.meetings.create(
        request.base_url,
        caller.tenant.id,
        organizer.id,
        created=meeting_json.format_time(dt.datetime.now(dt.UTC)),
        start=start,
        end=end,
        subject=body.get("subject"),
        attendees=attendees,
        **values,
    )


def create_meeting(store: Store, request: GraphRequest, caller: Caller, organizer: Person) -> GraphResponse:
    """Create a meeting: POST …/onlineMeetings."""
    body = request.read_json_object()
    meeting_json.reject_unknown_properties(body)
    if body.get("externalId") is not None:
        raise meeting_json.bad_request("externalId can only be used with the createOrGet action.")
    meeting = _add_meeting(store, request, caller, organizer, body, options=meeting_json.parse_options(body))
    store.meetings.counters["create"] += 1
    return _meeting_response(store, request, meeting, 201)


def create_or_get(store: Store, request: GraphRequest, caller: Caller, organizer: Person) -> GraphResponse:
    """Create a meeting, or return the one with this externalId: POST …/createOrGet.

    201 for a new meeting, 200 for an existing one, which the body doesn't change.
    A new meeting takes only times, subject and participants from the body.
    """
    body = request.read_json_object()
    external_id = body.get("externalId")
    if not isinstance(external_id, str) or not external_id:
        raise meeting_json.bad_request("externalId must not be null or empty.")
    existing = store.meetings.by_external_id(caller.tenant.id, organizer.id, external_id)
    if existing is not None:
        store.meetings.counters["createOrGet"] += 1
        return _meeting_response(store, request, existing, 200)
    meeting = _add_meeting(store, request, caller, organizer, body, external_id=external_id)
    store.meetings.counters["createOrGet"] += 1
    store.meetings.counters["createOrGet.created"] += 1
    return _meeting_response(store, request, meeting, 201)


def update_meeting(store: Store, request: GraphRequest, meeting: Meeting) -> GraphResponse:
    """Update a meeting: PATCH …/{id}.

    A move needs both start and end. A list of attendees replaces the previous list.
    """
    body = request.read_json_object()
    meeting_json.reject_unknown_properties(body)
    if "joinMeetingIdSettings" in body or "externalId" in body:
        raise meeting_json.bad_request("joinMeetingIdSettings and externalId cannot be updated.")
    if ("startDateTime" in body) != ("endDateTime" in body):
        raise meeting_json.bad_request("startDateTime and endDateTime must be updated together.")
    times = _read_times(body) if body.get("startDateTime") is not None else None
    attendees, options = meeting_json.parse_attendees(body), meeting_json.parse_options(body)
    if times is not None:
        meeting.start, meeting.end = times
    if attendees is not None:
        meeting.attendees = attendees
    if "subject" in body:
        meeting.subject = body["subject"]
    meeting.options |= options
    meeting.patches += 1
    store.meetings.counters["patch"] += 1
    return _meeting_response(store, request, meeting)


def find_by_filter(store: Store, request: GraphRequest, caller: Caller, organizer: Person) -> GraphResponse:
    """Find at most one meeting: GET …/onlineMeetings?$filter=JoinWebUrl eq '…'.

    Raises 400 without a supported filter: Graph can't list meetings (msgraph-sdk-dotnet issue 2492).
    """
    match = LOOKUP_FILTER.fullmatch(request.query.get("$filter", ""))
    if match is None:
        raise GraphError(
            400,
            "InvalidArgument",
            "Filter expression expected - /onlineMeetings?$filter={ParameterName} eq '{id}'.",
        )
    name, value = match[1].lower(), match[2].replace("''", "'")
    meeting = _find_by_link(store, value, organizer) if name == "joinweburl" else store.meetings.by_short_id(value)
    if meeting is None or meeting.deleted or meeting.tenant_id != caller.tenant.id:
        if store.behaviour.lookup_miss == "empty":
            return GraphResponse(200, {"value": []})
        raise meeting_not_found()
    if meeting.organizer_id != organizer.id:
        raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
    context = f"{VERSION_ROOT}/$metadata#users('{organizer.id}')/onlineMeetings"
    return GraphResponse(200, {"@odata.context": context, "value": [_render_meeting(store, request, meeting)]})


def reject_malformed_link(request: GraphRequest) -> None:
    """Raise 400 "1026" for a malformed JoinWebUrl.

    Graph was reported to reject the link before authorization; Microsoft doesn't document it.
    """
    match = LOOKUP_FILTER.fullmatch(request.query.get("$filter", ""))
    if match is None or match[1].lower() != "joinweburl":
        return
    value = match[2]
    # Graph accepts a link that was percent-encoded twice, but finds no meeting for it.
    if not WELL_FORMED_LINK.fullmatch(value) and not value.lower().startswith(("https%3a", "http%3a")):
        raise GraphError(400, "BadRequest", "1026: An error has occurred.")


def _find_by_link(store: Store, link: str, organizer: Person) -> Meeting | None:
    organizer_match = ORGANIZER_IN_LINK.search(link)
    if organizer_match is not None and organizer_match[1].lower() != organizer.id:
        raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
    return store.meetings.by_url(link)

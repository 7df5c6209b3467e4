"""Graph's online meetings: create, createOrGet, read, find by link, change, delete."""

import base64
import binascii
import datetime as dt
import re
import uuid
from typing import Any

from simulator.directory import Person
from simulator.graph import meeting_json
from simulator.graph.access import Caller
from simulator.graph.protocol import VERSION_ROOT, GraphCall, GraphError, GraphReply
from simulator.meetings import Meeting
from simulator.store import World

READ = (
    ("OnlineMeetings.Read", "OnlineMeetings.ReadWrite"),
    ("OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"),
)
WRITE = (("OnlineMeetings.ReadWrite",), ("OnlineMeetings.ReadWrite.All",))
FILTER = re.compile(
    r"\s*(JoinWebUrl|joinMeetingIdSettings/joinMeetingId|VideoTeleconferenceId)\s+eq\s+'(.*)'\s*",
    re.IGNORECASE | re.DOTALL,
)
WELL_FORMED_LINK = re.compile(
    r"https://teams\.microsoft\.com/l/meetup-join/19(%3a|:)meeting_[\w%=+/-]+(%40|@)thread\.v2/0\?context=.+"
    r"|https://teams\.microsoft\.com/meet/\d+\?p=\S+|https?://[^/\s]+/meet/\d+\?p=\S+",
    re.IGNORECASE,
)
ORGANIZER_IN_LINK = re.compile(r"Oid(?:%22|\")(?:%3a|:)(?:%22|\")([0-9a-f-]{36})", re.IGNORECASE)


def no_meeting() -> GraphError:
    return GraphError(404, "NotFound", "3004: Specified meeting is not found")


def organizer_of(world: World, caller: Caller, key: str | None) -> Person:
    """The user whose meetings are meant. Raises what Graph answers to a wrong one.

    Only the object id works in the path: a user name gets 404 UnknownError. An app needs an application
    access policy for the user; a person may name nobody but themselves.
    """
    if key is None:
        return caller.me()
    try:
        uuid.UUID(key)
    except ValueError as error:
        raise GraphError(404, "UnknownError") from error
    person = caller.tenant.by_id(key)
    if person is None:
        raise GraphError(404, "UnknownError")
    if caller.person is not None and caller.person is not person:
        raise GraphError(403, "Forbidden")
    if caller.person is None and not caller.tenant.is_covered(person, caller.client_id):
        raise GraphError(
            403,
            "Forbidden",
            f"No application access policy found for this app {caller.client_id} on the user [{person.id}]",
        )
    return person


def dispatch(
    world: World, caller: Caller, call: GraphCall, key: str | None, rest: tuple[str, ...]
) -> GraphReply:
    """Everything below `/me/onlineMeetings` or `/users/{id}/onlineMeetings`."""
    if key is None:
        caller.me()
    caller.require(*(READ if call.method == "GET" else WRITE))
    organizer = organizer_of(world, caller, key)
    match (call.method, rest):
        case ("POST", ()):
            return create(world, call, caller, organizer)
        case ("POST", ("createOrGet" | "microsoft.graph.createOrGet",)):
            return create_or_get(world, call, caller, organizer)
        case ("GET", ()):
            return find(world, call, caller, organizer)
        case ("GET", (meeting_id,)):
            meeting = _by_id(world, caller, meeting_id)
            if not meeting.admits(organizer.id):
                raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
            world.book.counters["get"] += 1
            return _reply(world, call, meeting)
        case ("PATCH", (meeting_id,)):
            return change(world, call, _own(world, caller, organizer, meeting_id))
        case ("DELETE", (meeting_id,)):
            world.book.delete(_own(world, caller, organizer, meeting_id))
            world.book.counters["delete"] += 1
            return GraphReply(204)
    raise GraphError(405, "UnknownError", "Specified HTTP method is not allowed for the request target.")


def _by_id(world: World, caller: Caller, meeting_id: str) -> Meeting:
    try:
        readable = base64.b64decode(meeting_id, validate=True).startswith(b"1*")
    except (binascii.Error, ValueError):
        readable = False
    if not readable:
        raise GraphError(400, "BadRequest", "Meeting Id is corrupted.")
    meeting = world.book.meetings.get(meeting_id)
    if meeting is None or meeting.deleted or meeting.tenant_id != caller.tenant.id:
        raise no_meeting()
    return meeting


def _own(world: World, caller: Caller, organizer: Person, meeting_id: str) -> Meeting:
    meeting = _by_id(world, caller, meeting_id)
    if meeting.organizer_id != organizer.id:
        raise GraphError(403, "Forbidden")
    return meeting


def _reply(world: World, call: GraphCall, meeting: Meeting, status: int = 200) -> GraphReply:
    return GraphReply(status, _show(world, call, meeting))


def _show(world: World, call: GraphCall, meeting: Meeting) -> dict[str, Any]:
    organizer = world.directory.tenants[meeting.tenant_id].by_id(meeting.organizer_id)
    language = call.headers.get("accept-language", "en-us").partition(",")[0]
    return meeting_json.show(meeting, organizer, call.wants_unknown_enum_members, language)


def _check_host(world: World, organizer: Person) -> None:
    """Raises what is reported of people who cannot organise; no single answer is documented."""
    if organizer.guest or not organizer.enabled:
        raise GraphError(403, "Forbidden")
    if organizer.licensed:
        return
    answer = world.behaviour.unlicensed_answer
    if answer == "not_found":
        raise GraphError(404, "UnknownError")
    text = "9024: TeamsMeetingProcessorException: The organizer has no licence for Microsoft Teams."
    raise GraphError(403, "Forbidden", "" if answer == "empty" else text)


def _times(body: dict[str, Any]) -> tuple[str, str]:
    start, end = meeting_json.read_time(body, "startDateTime"), meeting_json.read_time(body, "endDateTime")
    if start is None and end is not None:
        raise meeting_json.bad_request("The endDateTime cannot be given without a startDateTime.")
    start = start or dt.datetime.now(dt.UTC)
    end = end or start + dt.timedelta(hours=1)
    if end < start:
        raise meeting_json.bad_request("The endDateTime must not be earlier than the startDateTime.")
    return meeting_json.show_time(start), meeting_json.show_time(end)


def _new(
    world: World, call: GraphCall, caller: Caller, organizer: Person, body: dict[str, Any], **more: Any
) -> Meeting:
    start, end = _times(body)
    attendees = meeting_json.read_attendees(body) or []
    _check_host(world, organizer)
    return world.book.create(
        call.base_url,
        caller.tenant.id,
        organizer.id,
        created=meeting_json.show_time(dt.datetime.now(dt.UTC)),
        start=start,
        end=end,
        subject=body.get("subject"),
        attendees=attendees,
        **more,
    )


def create(world: World, call: GraphCall, caller: Caller, organizer: Person) -> GraphReply:
    """POST …/onlineMeetings: always a new meeting."""
    body = call.json_object()
    meeting_json.check_names(body)
    if body.get("externalId") is not None:
        raise meeting_json.bad_request("externalId can only be used with the createOrGet action.")
    meeting = _new(world, call, caller, organizer, body, options=meeting_json.read_options(body))
    world.book.counters["create"] += 1
    return _reply(world, call, meeting, 201)


def create_or_get(world: World, call: GraphCall, caller: Caller, organizer: Person) -> GraphReply:
    """POST …/createOrGet: 201 and a new meeting, or 200 and the old one, unchanged by the body.

    Everything but times, subject and participants is ignored, on a new meeting too.
    """
    body = call.json_object()
    external_id = body.get("externalId")
    if not isinstance(external_id, str) or not external_id:
        raise meeting_json.bad_request("externalId must not be null or empty.")
    existing = world.book.by_external_id(caller.tenant.id, organizer.id, external_id)
    if existing is not None:
        world.book.counters["createOrGet"] += 1
        return _reply(world, call, existing, 200)
    meeting = _new(world, call, caller, organizer, body, external_id=external_id)
    world.book.counters["createOrGet"] += 1
    world.book.counters["createOrGet.created"] += 1
    return _reply(world, call, meeting, 201)


def change(world: World, call: GraphCall, meeting: Meeting) -> GraphReply:
    """PATCH …/{id}: a move needs start and end; a list of attendees replaces the old one."""
    body = call.json_object()
    meeting_json.check_names(body)
    if "joinMeetingIdSettings" in body or "externalId" in body:
        raise meeting_json.bad_request("joinMeetingIdSettings and externalId cannot be updated.")
    if ("startDateTime" in body) != ("endDateTime" in body):
        raise meeting_json.bad_request("startDateTime and endDateTime must be updated together.")
    times = _times(body) if body.get("startDateTime") is not None else None
    attendees, options = meeting_json.read_attendees(body), meeting_json.read_options(body)
    if times is not None:
        meeting.start, meeting.end = times
    if attendees is not None:
        meeting.attendees = attendees
    if "subject" in body:
        meeting.subject = body["subject"]
    meeting.options |= options
    meeting.patches += 1
    world.book.counters["patch"] += 1
    return _reply(world, call, meeting)


def find(world: World, call: GraphCall, caller: Caller, organizer: Person) -> GraphReply:
    """GET …/onlineMeetings?$filter=JoinWebUrl eq '…': at most one row; a list of meetings does not exist."""
    match = FILTER.fullmatch(call.query.get("$filter", ""))
    if match is None:
        raise GraphError(
            400,
            "InvalidArgument",
            "Filter expression expected - /onlineMeetings?$filter={ParameterName} eq '{id}'.",
        )
    name, value = match[1].lower(), match[2].replace("''", "'")
    meeting = _by_link(world, value, organizer) if name == "joinweburl" else world.book.by_short_id(value)
    if meeting is None or meeting.deleted or meeting.tenant_id != caller.tenant.id:
        if world.behaviour.lookup_miss == "empty":
            return GraphReply(200, {"value": []})
        raise no_meeting()
    if meeting.organizer_id != organizer.id:
        raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
    context = f"{VERSION_ROOT}/$metadata#users('{organizer.id}')/onlineMeetings"
    return GraphReply(200, {"@odata.context": context, "value": [_show(world, call, meeting)]})


def check_link(call: GraphCall) -> None:
    """A malformed link is refused before anybody asks who the caller is (graph: error 1026)."""
    match = FILTER.fullmatch(call.query.get("$filter", ""))
    if match is None or match[1].lower() != "joinweburl":
        return
    value = match[2]
    # A link that was percent-encoded twice is well-formed to Graph, and leads nowhere.
    if not WELL_FORMED_LINK.fullmatch(value) and not value.lower().startswith(("https%3a", "http%3a")):
        raise GraphError(400, "BadRequest", "1026: An error has occurred.")


def _by_link(world: World, link: str, organizer: Person) -> Meeting | None:
    named = ORGANIZER_IN_LINK.search(link)
    if named is not None and named[1].lower() != organizer.id:
        raise GraphError(403, "Forbidden", "3003: User does not have access to lookup meeting")
    return world.book.by_url(link)

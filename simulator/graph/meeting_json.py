"""JSON of online meetings: validate request bodies, render meetings.

Property names and enums follow msgraph-metadata (v1.0).
"""

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

from simulator.directory import Person
from simulator.graph.protocol import VERSION_ROOT, GraphError
from simulator.meetings import Meeting

ATTENDEE_ROLES = frozenset({"attendee", "presenter", "producer", "coorganizer"})
ALLOWED_PRESENTERS = frozenset({"everyone", "organization", "roleIsPresenter", "organizer"})
LOBBY_SCOPES = frozenset(
    {
        "organizer",
        "organization",
        "organizationAndFederated",
        "everyone",
        "invited",
        "organizationExcludingGuests",
    }
)
# Members after unknownFutureValue; clients get them only with Prefer: include-unknown-enum-members.
EVOLVABLE_MEMBERS = frozenset({"producer", "coorganizer", "invited", "organizationExcludingGuests"})
# Writable properties that the simulator stores without validation.
PLAIN_OPTIONS = frozenset(
    [
        "allowAttendeeToEnableCamera",
        "allowAttendeeToEnableMic",
        "allowBreakoutRooms",
        "allowCopyingAndSharingMeetingContent",
        "allowedLobbyAdmitters",
        "allowLiveShare",
        "allowMeetingChat",
        "allowParticipantsToChangeName",
        "allowPowerPointSharing",
        "allowRecording",
        "allowTeamworkReactions",
        "allowTranscription",
        "allowWhiteboard",
        "chatRestrictions",
        "isEndToEndEncryptionEnabled",
        "isEntryExitAnnounced",
        "meetingSpokenLanguageTag",
        "recordAutomatically",
        "shareMeetingChatHistoryDefault",
        "watermarkProtection",
        "meetingTemplateId",
        "sensitivityLabelAssignment",
        "isBroadcast",
        "broadcastSettings",
    ]
)
# Properties that the service sets; accepted in requests and ignored.
READ_ONLY_PROPERTIES = frozenset(
    [
        "id",
        "joinWebUrl",
        "creationDateTime",
        "audioConferencing",
        "chatInfo",
        "joinInformation",
        "meetingOptionsWebUrl",
        "expiryDateTime",
        "videoTeleconferenceId",
        "attendeeReport",
        "cloudVideoInteropInfo",
        "meetingType",
        "@odata.type",
        "@odata.context",
    ]
)
CORE_PROPERTIES = frozenset(
    {
        "subject",
        "startDateTime",
        "endDateTime",
        "participants",
        "allowedPresenters",
        "lobbyBypassSettings",
        "joinMeetingIdSettings",
        "externalId",
    }
)
DATE_WITH_OFFSET = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def reject_unknown_properties(body: dict[str, Any]) -> None:
    """Raise 400 for a property that online meetings don't have."""
    for name in body:
        if name not in CORE_PROPERTIES | PLAIN_OPTIONS | READ_ONLY_PROPERTIES:
            raise bad_request(
                f"The property '{name}' does not exist on type 'microsoft.graph.onlineMeeting'. Make sure to "
                "only use property names that are defined by the type."
            )


def parse_time(body: dict[str, Any], name: str) -> dt.datetime | None:
    """Return a time in UTC, or None. Raises 400 unless it is ISO 8601 with an offset."""
    text = body.get(name)
    if text is None:
        return None
    match = DATE_WITH_OFFSET.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise bad_request(f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.")
    try:
        value = dt.datetime.fromisoformat(match[1] + (match[2] or "") + match[3].upper())
    except ValueError as error:
        raise bad_request(f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.") from error
    return value.astimezone(dt.UTC)


def format_time(value: dt.datetime) -> str:
    """Format a UTC time with as few fraction digits as possible (Graph sends up to seven)."""
    fraction = f"{value.microsecond:06d}0".rstrip("0")
    return value.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def parse_attendees(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the attendees, or None if the request has no list.

    As in Graph, user ids are stored without a check.
    """
    attendees = _read_object(body.get("participants"), "participants").get("attendees")
    if attendees is None:
        return None
    if not isinstance(attendees, list):
        raise bad_request("Invalid participants.")
    return [_parse_attendee(attendee) for attendee in attendees]


def _read_object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"Invalid {name}.")
    return value


def _parse_attendee(attendee: Any) -> dict[str, Any]:
    attendee = _read_object(attendee, "participants")
    role = attendee.get("role") or "attendee"
    if role not in ATTENDEE_ROLES:
        raise _unknown_enum_member(role, "onlineMeetingRole")
    identity = _read_object(attendee.get("identity"), "participants")
    user = _read_object(identity.get("user"), "participants")
    if not user and not attendee.get("upn"):
        raise bad_request("Invalid participants: an attendee needs an identity or a upn.")
    if role in ("presenter", "coorganizer") and not user.get("id"):
        # Microsoft documents that only Entra users can be presenter or coorganizer.
        raise bad_request(f"An attendee with the role {role} needs the id of a user.")
    return {"upn": attendee.get("upn"), "role": role, "identity": identity or None}


def parse_options(body: dict[str, Any]) -> dict[str, Any]:
    """Return the meeting options of a request body. Raises 400 for unknown enum members."""
    options = {name: body[name] for name in PLAIN_OPTIONS if name in body}
    presenters = body.get("allowedPresenters")
    if presenters is not None:
        if presenters not in ALLOWED_PRESENTERS:
            raise _unknown_enum_member(presenters, "onlineMeetingPresenters")
        options["allowedPresenters"] = presenters
    lobby = _read_object(body.get("lobbyBypassSettings"), "lobbyBypassSettings")
    if lobby:
        scope = lobby.get("scope")
        if scope is not None and scope not in LOBBY_SCOPES:
            raise _unknown_enum_member(scope, "lobbyBypassScope")
        options["lobbyBypassSettings"] = lobby
    return options


def _unknown_enum_member(value: Any, type_name: str) -> GraphError:
    return bad_request(
        f"Requested value '{value}' was not found. Cannot convert to type 'microsoft.graph.{type_name}'."
    )


def render_meeting(meeting: Meeting, organizer: Person | None, unknown_members: bool, language: str) -> dict[str, Any]:
    """Return the meeting as Graph does. Without `unknown_members`, newer enum members are hidden."""
    lobby: dict[str, Any] = {"scope": "organization", "isDialInBypassEnabled": False}
    lobby |= meeting.options.get("lobbyBypassSettings", {})
    lobby["scope"] = _visible_member(lobby["scope"], unknown_members)
    attendees = [
        {**attendee, "role": _visible_member(attendee["role"], unknown_members)} for attendee in meeting.attendees
    ]
    end = dt.datetime.fromisoformat(meeting.end)
    html = f"<div><h1>Microsoft Teams</h1><a href='{meeting.join_web_url}'>Join the meeting now</a></div>"
    return {
        "@odata.context": f"{VERSION_ROOT}/$metadata#users('{meeting.organizer_id}')/onlineMeetings/$entity",
        "id": meeting.id,
        "creationDateTime": meeting.created,
        "startDateTime": meeting.start,
        "endDateTime": meeting.end,
        "expiryDateTime": format_time(end + dt.timedelta(days=60)),
        "joinWebUrl": meeting.join_web_url,
        "joinUrl": meeting.join_web_url,
        "meetingCode": meeting.short_id,
        "subject": meeting.subject,
        "externalId": meeting.external_id,
        "isBroadcast": False,
        "isEntryExitAnnounced": False,
        "allowedPresenters": "everyone",
        "allowMeetingChat": "enabled",
        "autoAdmittedUsers": "everyoneInCompany",
        "meetingOptionsWebUrl": f"https://teams.microsoft.com/meetingOptions/?threadId={meeting.thread_id}",
        "audioConferencing": None,
        "videoTeleconferenceId": None,
        **meeting.options,
        "lobbyBypassSettings": lobby,
        "joinMeetingIdSettings": {
            "isPasscodeRequired": True,
            "joinMeetingId": meeting.short_id,
            "passcode": meeting.passcode,
        },
        "joinInformation": {
            "content": "data:text/html," + quote(f"<html lang='{language}'>{html}</html>"),
            "contentType": "html",
        },
        "chatInfo": {"threadId": meeting.thread_id, "messageId": "0", "replyChainMessageId": None},
        "participants": {"organizer": _render_organizer(meeting, organizer), "attendees": attendees},
    }


def _visible_member(value: str, unknown_members: bool) -> str:
    return "unknownFutureValue" if value in EVOLVABLE_MEMBERS and not unknown_members else value


def _render_organizer(meeting: Meeting, organizer: Person | None) -> dict[str, Any]:
    user = {
        "id": meeting.organizer_id,
        "displayName": organizer.name if organizer else None,
        "tenantId": meeting.tenant_id,
        "identityProvider": "AAD",
    }
    return {"upn": organizer.upn if organizer else None, "role": "presenter", "identity": {"user": user}}

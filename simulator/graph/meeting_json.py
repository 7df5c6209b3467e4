"""Reading what a client sends for an online meeting, and showing a meeting the way Graph does."""

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

from simulator.directory import Person
from simulator.graph.protocol import VERSION_ROOT, GraphError
from simulator.meetings import Meeting

ROLES = frozenset({"attendee", "presenter", "producer", "coorganizer"})
PRESENTERS = frozenset({"everyone", "organization", "roleIsPresenter", "organizer"})
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
# Members that stand after unknownFutureValue: readable only with the Prefer header.
LATE_MEMBERS = frozenset({"producer", "coorganizer", "invited", "organizationExcludingGuests"})
# Settable properties that the simulator keeps as they come.
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
# Known to the type, decided by the service: accepted and ignored.
READ_ONLY = frozenset(
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
CORE = frozenset(
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
OFFSET_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def check_names(body: dict[str, Any]) -> None:
    """Raises 400 for a property that an online meeting does not have."""
    for name in body:
        if name not in CORE | PLAIN_OPTIONS | READ_ONLY:
            raise bad_request(
                f"The property '{name}' does not exist on type 'microsoft.graph.onlineMeeting'. Make sure to "
                "only use property names that are defined by the type."
            )


def read_time(body: dict[str, Any], name: str) -> dt.datetime | None:
    """A time with its offset, as UTC. Raises 400 for anything else."""
    text = body.get(name)
    if text is None:
        return None
    match = OFFSET_DATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise bad_request(f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.")
    try:
        moment = dt.datetime.fromisoformat(match[1] + (match[2] or "") + match[3].upper())
    except ValueError as error:
        raise bad_request(
            f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
        ) from error
    return moment.astimezone(dt.UTC)


def show_time(moment: dt.datetime) -> str:
    """UTC with as many of seven fraction digits as are needed."""
    fraction = f"{moment.microsecond:06d}0".rstrip("0")
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def read_attendees(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The list of attendees, None when the client did not send one. Ids are kept unchecked, as in Graph."""
    attendees = _object(body.get("participants"), "participants").get("attendees")
    if attendees is None:
        return None
    if not isinstance(attendees, list):
        raise bad_request("Invalid participants.")
    return [_read_attendee(attendee) for attendee in attendees]


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"Invalid {name}.")
    return value


def _read_attendee(attendee: Any) -> dict[str, Any]:
    attendee = _object(attendee, "participants")
    role = attendee.get("role") or "attendee"
    if role not in ROLES:
        raise _unknown_member(role, "onlineMeetingRole")
    identity = _object(attendee.get("identity"), "participants")
    user = _object(identity.get("user"), "participants")
    if not user and not attendee.get("upn"):
        raise bad_request("Invalid participants: an attendee needs an identity or a upn.")
    if role in ("presenter", "coorganizer") and not user.get("id"):
        # Documented: only users of Entra ID can present or co-organize.
        raise bad_request(f"An attendee with the role {role} needs the id of a user.")
    return {"upn": attendee.get("upn"), "role": role, "identity": identity or None}


def read_options(body: dict[str, Any]) -> dict[str, Any]:
    """The meeting options in the body."""
    options = {name: body[name] for name in PLAIN_OPTIONS if name in body}
    presenters = body.get("allowedPresenters")
    if presenters is not None:
        if presenters not in PRESENTERS:
            raise _unknown_member(presenters, "onlineMeetingPresenters")
        options["allowedPresenters"] = presenters
    lobby = _object(body.get("lobbyBypassSettings"), "lobbyBypassSettings")
    if lobby:
        scope = lobby.get("scope")
        if scope is not None and scope not in LOBBY_SCOPES:
            raise _unknown_member(scope, "lobbyBypassScope")
        options["lobbyBypassSettings"] = lobby
    return options


def _unknown_member(value: Any, type_name: str) -> GraphError:
    return bad_request(
        f"Requested value '{value}' was not found. Cannot convert to type 'microsoft.graph.{type_name}'."
    )


def show(meeting: Meeting, organizer: Person | None, unknown_members: bool, language: str) -> dict[str, Any]:
    """The meeting as Graph returns it; late enum members only for clients that asked for them."""
    lobby: dict[str, Any] = {"scope": "organization", "isDialInBypassEnabled": False}
    lobby |= meeting.options.get("lobbyBypassSettings", {})
    lobby["scope"] = _member(lobby["scope"], unknown_members)
    attendees = [
        {**attendee, "role": _member(attendee["role"], unknown_members)} for attendee in meeting.attendees
    ]
    end = dt.datetime.fromisoformat(meeting.end)
    html = f"<div><h1>Microsoft Teams</h1><a href='{meeting.join_web_url}'>Join the meeting now</a></div>"
    return {
        "@odata.context": f"{VERSION_ROOT}/$metadata#users('{meeting.organizer_id}')/onlineMeetings/$entity",
        "id": meeting.id,
        "creationDateTime": meeting.created,
        "startDateTime": meeting.start,
        "endDateTime": meeting.end,
        "expiryDateTime": show_time(end + dt.timedelta(days=60)),
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
        "participants": {"organizer": _show_organizer(meeting, organizer), "attendees": attendees},
    }


def _member(value: str, unknown_members: bool) -> str:
    return "unknownFutureValue" if value in LATE_MEMBERS and not unknown_members else value


def _show_organizer(meeting: Meeting, organizer: Person | None) -> dict[str, Any]:
    user = {
        "id": meeting.organizer_id,
        "displayName": organizer.name if organizer else None,
        "tenantId": meeting.tenant_id,
        "identityProvider": "AAD",
    }
    return {"upn": organizer.upn if organizer else None, "role": "presenter", "identity": {"user": user}}

"""Create, update, read and delete online meetings.

`createOrGet` is idempotent: for the same tenant, organizer and externalId it returns the existing meeting
(learn.microsoft.com/graph/api/onlinemeeting-createorget). This module creates meetings in no other way, so a late, lost
or wrong response can't lead to a second link.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from integrations.messages import Message
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.subjects import clean_subject
from integrations.platforms.values import Attendee, MatchReason, MeetingSpec, PlatformError, RemoteMeeting
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.errors import bug_error
from integrations.teams.graph.paths import segment
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import LobbyPolicy, Method

# Length of the column that stores it.
_LONGEST_ID: Final = 500
# Microsoft refuses every request for these reasons, with any body.
_FINAL_REASONS: Final = (MatchReason.NO_HOST_PERMISSION, MatchReason.NO_LICENCE, MatchReason.NOT_FOUND)

# Reasons that Graph seems to give for the meetings of a deleted user (from memory).
_REASONS_OF_DELETED: Final = (MatchReason.NO_HOST_PERMISSION, MatchReason.REFUSED, MatchReason.NOT_FOUND)

# Clients aren't presenters, because presenters can admit people from the lobby. With scope "organization", colleagues
# of the organizer pass the lobby (learn.microsoft.com/graph/api/resources/lobbybypasssettings).
_LOBBIES: Final[Mapping[str, Mapping[str, Any]]] = {
    LobbyPolicy.CLIENTS_WAIT: {"scope": "organization", "isDialInBypassEnabled": False},
    LobbyPolicy.NOBODY_WAITS: {"scope": "everyone", "isDialInBypassEnabled": True},
}


def create_meeting(connection: Connection, spec: MeetingSpec) -> RemoteMeeting:
    """Create the meeting, or return the one with this key. Raises PlatformError.

    Sends only key, subject and times. createOrGet ignores options, and ignores the whole body if the meeting exists
    (seen; learn.microsoft.com/graph/api/onlinemeeting-createorget). Call `update_meeting` afterwards.
    """
    body = {"externalId": str(spec.key), "subject": clean_subject(spec.subject), **_time_fields(spec)}
    client = GraphClient(connection)
    path = f"{_meetings_path(connection, spec.organizer_id)}/createOrGet"
    try:
        with _naming_service_account(connection):
            response = client.request("POST", path, json=body)
    except PlatformError as error:
        if _is_organizer_deleted(connection, spec.organizer_id, error):
            raise _unknown_organizer(error) from error
        raise
    return _parse_created(client, response, spec)


def _unknown_organizer(refusal: PlatformError) -> PlatformError:
    """Return the error for a deleted organizer. Its reason lets Coconut look the staff member up again."""
    message = Message(TeamsMessage.PERSON_UNKNOWN)
    return PlatformError(ErrorKind.PERSON, message, request_id=refusal.request_id, reason=MatchReason.NOT_FOUND)


def find_meeting(connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
    """Return the meeting with this key, so that it can be deleted, or None if its organizer is gone.

    Graph can't filter by externalId. createOrGet finds the meeting, or creates one that is then deleted. Raises
    PlatformError.
    """
    if is_former_account(connection, spec.organizer_id):
        return None
    try:
        return create_meeting(connection, spec)
    except PlatformError as error:
        if error.reason != MatchReason.NOT_FOUND:
            raise
    return None


def update_meeting(connection: Connection, remote_id: str, spec: MeetingSpec) -> Message:
    """Update the meeting to match the spec. Return a warning, or an empty message without one.

    Start and end are always sent together, and the attendee list replaces the previous one
    (learn.microsoft.com/graph/api/onlinemeeting-update). If the tenant refuses options or a co-organizer, they are left
    out, because the link works without them. Raises PlatformError, GONE if the meeting doesn't exist.
    """
    client = GraphClient(connection)
    path = _meeting_path(connection, spec.organizer_id, remote_id)
    with _naming_service_account(connection):
        return _send_first_accepted(client, path, _update_bodies(connection, spec))


def read_meeting(connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
    """Read the meeting. Raises PlatformError, GONE if it doesn't exist."""
    client = GraphClient(connection)
    path = _meeting_path(connection, organizer_id, remote_id)
    with _naming_service_account(connection):
        response = client.request("GET", path)
    return _parse_meeting(client, response)


def delete_meeting(connection: Connection, organizer_id: str, remote_id: str) -> None:
    """Delete the meeting. A missing meeting counts as deleted, and so does one of a deleted user. Raises PlatformError.

    Microsoft's link keeps working for anyone who has it (seen: microsoft-graph-docs/issues/17590).
    """
    if is_former_account(connection, organizer_id):
        # The present account can't reach it, and the former one can't sign in any more.
        return
    client = GraphClient(connection)
    try:
        with _naming_service_account(connection):
            client.request("DELETE", _meeting_path(connection, organizer_id, remote_id))
    except PlatformError as error:
        if error.kind != ErrorKind.GONE and not _is_organizer_deleted(connection, organizer_id, error):
            raise


def _is_organizer_deleted(connection: Connection, organizer_id: str, error: PlatformError) -> bool:
    """Return whether Graph refused the organizer because the user was deleted. Then their meetings are gone, too.

    Graph answers 404 or 403 for the meetings of a deleted user (from memory), and also for other reasons. Only the
    user's own address tells.
    """
    if error.reason not in _REASONS_OF_DELETED or connection.teams.method != Method.ACCESS_POLICY:
        return False
    try:
        GraphClient(connection).request("GET", f"/users/{segment(organizer_id)}", params={"$select": "id"})
    except PlatformError as refusal:
        if refusal.kind.is_waiting_useful:
            # No answer yet. The caller's request is repeated later, too.
            raise
        return refusal.reason == MatchReason.NOT_FOUND
    return False


def is_former_account(connection: Connection, organizer_id: str) -> bool:
    """Return whether the organizer is a service account that the connection no longer uses."""
    teams = connection.teams
    return teams.method == Method.SERVICE_ACCOUNT and organizer_id.casefold() != teams.account_oid.casefold()


def _meetings_path(connection: Connection, organizer_id: str) -> str:
    """Return the path of the organizer's meetings. Raises PlatformError for an organizer without access.

    Under an access policy, the path needs the object id; a user name gets 404 UnknownError
    (learn.microsoft.com/graph/api/application-post-onlinemeetings).
    """
    if is_former_account(connection, organizer_id):
        # The key is unique per organizer: under another one, it would create a second meeting.
        raise PlatformError(ErrorKind.PERSON, Message(TeamsMessage.FORMER_ACCOUNT))
    if connection.teams.method == Method.SERVICE_ACCOUNT:
        return "/me/onlineMeetings"
    try:
        return f"/users/{uuid.UUID(organizer_id)}/onlineMeetings"
    except ValueError as error:
        raise bug_error() from error


def _meeting_path(connection: Connection, organizer_id: str, remote_id: str) -> str:
    return f"{_meetings_path(connection, organizer_id)}/{segment(remote_id)}"


def _update_bodies(connection: Connection, spec: MeetingSpec) -> list[tuple[dict[str, Any], Message]]:
    """Return the bodies to try in this order, each with the warning to show if it is the first accepted one."""
    core = {"subject": clean_subject(spec.subject), **_time_fields(spec)}
    attendees = [_attendee(each) for each in spec.attendees]
    bodies = [
        ({**core, **_participants(attendees), **_meeting_options(connection)}, Message()),
        ({**core, **_participants(attendees)}, Message(TeamsMessage.LOBBY_REFUSED)),
    ]
    if attendees:
        # The empty list removes at least the previous co-organizer.
        bodies.append(({**core, **_participants([])}, Message(TeamsMessage.COORGANIZER_REFUSED)))
    return bodies


def _participants(attendees: list[dict[str, Any]]) -> dict[str, Any]:
    return {"participants": {"attendees": attendees}}


def _time_fields(spec: MeetingSpec) -> dict[str, str]:
    return {"startDateTime": _utc(spec.starts_at), "endDateTime": _utc(spec.ends_at)}


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attendee(attendee: Attendee) -> dict[str, Any]:
    return {
        "identity": {"user": {"id": attendee.remote_id}},
        "upn": attendee.user_name,
        "role": attendee.role,
    }


def _meeting_options(connection: Connection) -> dict[str, Any]:
    return {
        "lobbyBypassSettings": dict(_LOBBIES[connection.teams.lobby_policy]),
        "allowedPresenters": "roleIsPresenter",
    }


def _send_first_accepted(client: GraphClient, path: str, bodies: list[tuple[dict[str, Any], Message]]) -> Message:
    """PATCH the bodies in turn until Microsoft accepts one. Return the warning of that body.

    Raises the error of the last body, or the first error that no other body can avoid.
    """
    refusals: list[PlatformError] = []
    for body, warning in bodies:
        try:
            response = client.request("PATCH", path, json=body)
        except PlatformError as error:
            if error.kind not in (ErrorKind.BUG, ErrorKind.PERSON) or error.reason in _FINAL_REASONS:
                raise
            refusals.append(error)
        else:
            if not isinstance(response, dict | None):
                raise client.unknown_shape("an updated meeting that is no object", ambiguous=True)
            return warning
    raise refusals[-1]


@contextmanager
def _naming_service_account(connection: Connection) -> Iterator[None]:
    """Name the service account in errors about the organizer, because no staff member is at fault."""
    try:
        yield
    except PlatformError as error:
        if error.kind != ErrorKind.PERSON or connection.teams.method != Method.SERVICE_ACCOUNT:
            raise
        raise PlatformError(
            ErrorKind.PERSON,
            Message(TeamsMessage.SERVICE_ACCOUNT_REFUSED, {"account": connection.teams.account_upn}),
            request_id=error.request_id,
        ) from error


def _parse_created(client: GraphClient, response: Any, spec: MeetingSpec) -> RemoteMeeting:
    meeting = _parse_meeting(client, response, is_write=True)
    key = response.get("externalId")
    if key is not None and str(key).casefold() != str(spec.key):
        # No link is better than the link of another appointment.
        raise client.unknown_shape("a meeting with another key", ambiguous=True)
    return meeting


def _parse_meeting(client: GraphClient, response: Any, *, is_write: bool = False) -> RemoteMeeting:
    """Parse a meeting. Ignores unknown members, because Graph returns more than it documents."""
    if not isinstance(response, dict):
        raise client.unknown_shape("a meeting that is no object", ambiguous=is_write)
    remote_id, join_url = response.get("id"), response.get("joinWebUrl")
    if not isinstance(remote_id, str) or not 0 < len(remote_id) <= _LONGEST_ID or not remote_id.isprintable():
        raise client.unknown_shape("a meeting without an id", ambiguous=is_write)
    if not isinstance(join_url, str) or not _is_link(join_url):
        raise client.unknown_shape("a meeting without a link", ambiguous=is_write)
    subject = response.get("subject")
    return RemoteMeeting(
        remote_id,
        join_url,
        subject if isinstance(subject, str) else "",
        _parse_datetime(response.get("startDateTime")),
        _parse_datetime(response.get("endDateTime")),
        _attendee_ids(response),
    )


def _is_link(text: str) -> bool:
    """Return whether browsers can open the link. Microsoft may change every other part of it."""
    schemes = ("https://", "http://") if settings.MICROSOFT_SIMULATOR_URL else ("https://",)
    return text.startswith(schemes) and text.isprintable() and " " not in text


def _parse_datetime(text: object) -> datetime | None:
    """Parse a time as UTC. Broken meetings have the year 1 (seen: microsoft-graph-docs/issues/16874)."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
        in_utc = parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return in_utc if parsed.year > 1 else None


def _attendee_ids(response: Mapping[str, Any]) -> frozenset[str]:
    participants = response.get("participants")
    attendees = participants.get("attendees") if isinstance(participants, dict) else None
    if not isinstance(attendees, list):
        return frozenset()
    return frozenset(filter(None, map(_attendee_id, attendees)))


def _attendee_id(attendee: object) -> str:
    identity = attendee.get("identity") if isinstance(attendee, dict) else None
    user = identity.get("user") if isinstance(identity, dict) else None
    oid = user.get("id") if isinstance(user, dict) else None
    return oid if isinstance(oid, str) else ""

"""Online meetings: made once, made to look as wanted, read, deleted.

`createOrGet` with our own key is the only create that may be repeated: it makes a meeting or finds the one it made
before, for the same tenant, organizer and key (learn.microsoft.com/graph/api/onlinemeeting-createorget). Nothing in
this module ever makes a meeting in another way, so no answer, late, lost or wrong, can lead to a second link.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import Attendee, MatchReason, MeetingSpec, PlatformError, RemoteMeeting
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.errors import bug
from integrations.teams.graph.paths import segment
from integrations.teams.models import LobbyPolicy, Method

# No limit is documented for an online meeting; this is the one of calendar items.
LONGEST_SUBJECT: Final = 255
# What our own columns hold.
_LONGEST_ID: Final = 500
# What Microsoft refuses for these reasons it refuses whatever is in the request.
_HOPELESS: Final = (MatchReason.NO_HOST_PERMISSION, MatchReason.NO_LICENCE, MatchReason.NOT_FOUND)

# Clients are no presenters, or the first to be let in could admit the next. Colleagues of the organizer, and so the
# staff member, pass the lobby (learn.microsoft.com/graph/api/resources/lobbybypasssettings).
_LOBBIES: Final[Mapping[str, Mapping[str, Any]]] = {
    LobbyPolicy.CLIENTS_WAIT: {"scope": "organization", "isDialInBypassEnabled": False},
    LobbyPolicy.NOBODY_WAITS: {"scope": "everyone", "isDialInBypassEnabled": True},
}


def create_meeting(connection: Connection, spec: MeetingSpec) -> RemoteMeeting:
    """Make the meeting or find the one with this key. Raises PlatformError.

    Only what identifies it and when it is: options are ignored here, and so is the whole body where the meeting
    exists already (seen; learn.microsoft.com/graph/api/onlinemeeting-createorget). `update_meeting` follows.
    """
    body = {"externalId": str(spec.key), "subject": clean_subject(spec.subject), **_times(spec)}
    client = GraphClient(connection)
    with _in_words_for(connection):
        path = f"{_meetings_of(connection, spec.organizer_id)}/createOrGet"
        answer = client.request("POST", path, json=body)
    return _read_created(client, answer, spec)


def update_meeting(connection: Connection, remote_id: str, spec: MeetingSpec) -> str:
    """Make the meeting look like the spec; returns a warning, or "" when everything was taken.

    Start and end always go together, and the list of attendees replaces the former one
    (learn.microsoft.com/graph/api/onlinemeeting-update). A tenant may forbid options or a co-organizer; the link
    works without them, so they are left out before anything is given up. Raises PlatformError, GONE if it vanished.
    """
    client = GraphClient(connection)
    with _in_words_for(connection):
        path = _meeting(connection, spec.organizer_id, remote_id)
        return _first_accepted(client, path, _bodies(connection, spec))


def read_meeting(connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
    """Read the meeting. Raises PlatformError, GONE if it vanished."""
    client = GraphClient(connection)
    with _in_words_for(connection):
        answer = client.request("GET", _meeting(connection, organizer_id, remote_id))
    return _read(client, answer)


def delete_meeting(connection: Connection, organizer_id: str, remote_id: str) -> None:
    """Delete the meeting; one that is gone counts as deleted. Raises PlatformError.

    Microsoft's link keeps working for whoever has it (seen: microsoft-graph-docs/issues/17590).
    """
    client = GraphClient(connection)
    try:
        with _in_words_for(connection):
            client.request("DELETE", _meeting(connection, organizer_id, remote_id))
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise


def clean_subject(subject: str) -> str:
    """One line of plain text, as long as Microsoft takes."""
    printable = "".join(letter if letter.isprintable() else " " for letter in subject)
    return " ".join(printable.split())[:LONGEST_SUBJECT]


def _meetings_of(connection: Connection, organizer_id: str) -> str:
    """Where an organizer's meetings are. Raises PlatformError (BUG) for an organizer that this sign-in cannot be.

    Under an access policy only the object id works in the path; a user name gets 404 UnknownError
    (learn.microsoft.com/graph/api/application-post-onlinemeetings).
    """
    teams = connection.teams
    if teams.method == Method.SERVICE_ACCOUNT:
        # Under another organizer the same key would be another meeting.
        if organizer_id.casefold() != teams.account_oid.casefold():
            raise bug()
        return "/me/onlineMeetings"
    try:
        return f"/users/{uuid.UUID(organizer_id)}/onlineMeetings"
    except ValueError as error:
        raise bug() from error


def _meeting(connection: Connection, organizer_id: str, remote_id: str) -> str:
    return f"{_meetings_of(connection, organizer_id)}/{segment(remote_id)}"


def _bodies(connection: Connection, spec: MeetingSpec) -> list[tuple[dict[str, Any], str]]:
    """What to send, the best first, each with the warning that goes with it."""
    core = {"subject": clean_subject(spec.subject), **_times(spec)}
    attendees = [_attendee(each) for each in spec.attendees]
    bodies = [
        ({**core, **_list(attendees), **_options(connection)}, ""),
        (
            {**core, **_list(attendees)},
            _(
                "Microsoft refused the lobby settings of this meeting. Its link works; check who waits in the lobby."
            ),
        ),
    ]
    if attendees:
        # The empty list makes at least the former co-organizer go.
        words = _(
            "Microsoft refused to make the staff member a co-organizer of this meeting. Its link works, but they may "
            "have to be admitted from the lobby."
        )
        bodies.append(({**core, **_list([])}, words))
    return bodies


def _list(attendees: list[dict[str, Any]]) -> dict[str, Any]:
    return {"participants": {"attendees": attendees}}


def _times(spec: MeetingSpec) -> dict[str, str]:
    return {"startDateTime": _utc(spec.starts_at), "endDateTime": _utc(spec.ends_at)}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attendee(attendee: Attendee) -> dict[str, Any]:
    return {
        "identity": {"user": {"id": attendee.remote_id}},
        "upn": attendee.user_name,
        "role": attendee.role,
    }


def _options(connection: Connection) -> dict[str, Any]:
    return {
        "lobbyBypassSettings": dict(_LOBBIES[connection.teams.lobby_policy]),
        "allowedPresenters": "roleIsPresenter",
    }


def _first_accepted(client: GraphClient, path: str, bodies: list[tuple[dict[str, Any], str]]) -> str:
    """PATCH one body after the other while Microsoft refuses what is in it; returns the warning of the one it took.

    Raises the refusal of the last one.
    """
    refusals: list[PlatformError] = []
    for body, warning in bodies:
        try:
            client.request("PATCH", path, json=body)
        except PlatformError as error:
            if error.kind not in (ErrorKind.BUG, ErrorKind.PERSON) or error.reason in _HOPELESS:
                raise
            refusals.append(error)
        else:
            return warning
    raise refusals[-1]


@contextmanager
def _in_words_for(connection: Connection) -> Iterator[None]:
    """Under a service account what Microsoft refuses to the organizer concerns that account, and no staff member."""
    try:
        yield
    except PlatformError as error:
        if error.kind != ErrorKind.PERSON or connection.teams.method != Method.SERVICE_ACCOUNT:
            raise
        raise PlatformError(
            ErrorKind.PERSON,
            _(
                "Microsoft does not let the service account %(account)s make meetings. A Microsoft administrator "
                "checks that the account is enabled and has a Microsoft Teams licence; then choose Try again."
            )
            % {"account": connection.teams.account_upn},
            request_id=error.request_id,
        ) from error


def _read_created(client: GraphClient, answer: Any, spec: MeetingSpec) -> RemoteMeeting:
    meeting = _read(client, answer)
    key = answer.get("externalId")
    if key is not None and str(key).casefold() != str(spec.key):
        # Rather no link than the link of somebody else's appointment.
        raise client.unknown_shape("a meeting with another key")
    return meeting


def _read(client: GraphClient, answer: Any) -> RemoteMeeting:
    """The meeting in an answer. Members that we do not know are left alone; Graph has more than it documents."""
    if not isinstance(answer, dict):
        raise client.unknown_shape("a meeting that is no object")
    remote_id, join_url = answer.get("id"), answer.get("joinWebUrl")
    if not isinstance(remote_id, str) or not 0 < len(remote_id) <= _LONGEST_ID or not remote_id.isprintable():
        raise client.unknown_shape("a meeting without an id")
    if not isinstance(join_url, str) or not _is_link(join_url):
        raise client.unknown_shape("a meeting without a link")
    subject = answer.get("subject")
    return RemoteMeeting(
        remote_id,
        join_url,
        subject if isinstance(subject, str) else "",
        _moment(answer.get("startDateTime")),
        _moment(answer.get("endDateTime")),
        _attendee_ids(answer),
    )


def _is_link(text: str) -> bool:
    """Whether people can be sent there. What else is in a link is Microsoft's business."""
    schemes = ("https://", "http://") if settings.MICROSOFT_SIMULATOR_URL else ("https://",)
    return text.startswith(schemes) and text.isprintable() and " " not in text


def _moment(text: object) -> datetime | None:
    """A time in UTC. Broken meetings show the year 1 (seen: microsoft-graph-docs/issues/16874)."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _attendee_ids(answer: Mapping[str, Any]) -> frozenset[str]:
    participants = answer.get("participants")
    attendees = participants.get("attendees") if isinstance(participants, dict) else None
    if not isinstance(attendees, list):
        return frozenset()
    return frozenset(filter(None, map(_attendee_id, attendees)))


def _attendee_id(attendee: object) -> str:
    identity = attendee.get("identity") if isinstance(attendee, dict) else None
    user = identity.get("user") if isinstance(identity, dict) else None
    oid = user.get("id") if isinstance(user, dict) else None
    return oid if isinstance(oid, str) else ""

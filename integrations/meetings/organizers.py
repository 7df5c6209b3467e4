"""Booked meetings follow the identity of their hosts and of the connection's account.

The id on the platform changes if an account is deleted and created again, if a host is matched with another remote
user, or if the connection gets another account. A row never changes its organizer, so its owner replaces the meeting.
Participants are only updated.

Nothing records that a meeting is out of date: queries compare rows, so no change can be forgotten.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Now
from django.dispatch import receiver

from coconut.task_queue import enqueue_on_commit, send
from integrations.hooks import meeting_owners
from integrations.hosting.eligibility import Hosting
from integrations.matching.host_permission import host_permission_granted
from integrations.matching.signals import remote_users_changed
from integrations.meetings.requests import hand_over, keeps_link, request_participants
from integrations.models import Connection, DesiredState, MatchStatus, Meeting, UserMatch
from integrations.models.meetings import MeetingQuerySet
from integrations.platforms.registry import platform_of

logger = logging.getLogger(__name__)

TASK: Final = "integrations.follow_organizers"
#: Most meetings that one task handles, so that bookings get a worker in between.
PORTION: Final = 200


# --- Find -------------------------------------------------------------------------------------------
def with_former_organizer(connection: Connection) -> MeetingQuerySet:
    """Return the upcoming meetings that would have another organizer if they were booked now.

    If staff organize their own meetings, only those of hosts who are Matched: the others couldn't get a new meeting.
    """
    platform, matches = platform_of(connection), UserMatch.objects.filter(connection=connection, staff=OuterRef("host"))
    if platform.hosts_as_staff(connection):
        able = matches.filter(status=MatchStatus.MATCHED)
        return upcoming_meetings(connection).filter(Exists(able.exclude(remote_id=OuterRef("organizer_id"))))
    # One account organizes the meetings of all hosts.
    account = platform.organizer_id(connection, UserMatch(connection=connection))
    return upcoming_meetings(connection).filter(Exists(matches)).exclude(organizer_id=account)


def _with_former_participant(connection: Connection) -> MeetingQuerySet:
    """Return the upcoming meetings whose host takes part under a former remote id or user name."""
    able = UserMatch.objects.filter(connection=connection, staff=OuterRef("host"), status=MatchStatus.MATCHED)
    current = able.filter(remote_id=OuterRef("participant_id"), remote_user_name=OuterRef("participant_name"))
    participant = {"participant_id": KT("attendees__0__remote_id"), "participant_name": KT("attendees__0__user_name")}
    return (
        upcoming_meetings(connection).exclude(attendees=[]).alias(**participant).filter(Exists(able), ~Exists(current))
    )


def upcoming_meetings(connection: Connection) -> MeetingQuerySet:
    """Return the connection's booked meetings that haven't begun, earliest first."""
    return Meeting.objects.filter(
        connection=connection, desired_state=DesiredState.PRESENT, starts_at__gt=Now()
    ).order_by("starts_at", "pk")


# --- Follow -----------------------------------------------------------------------------------------
@receiver(remote_users_changed)
@receiver(host_permission_granted)
def follow_changed_hosts(connection_id: int, **kwargs: Any) -> None:
    """Enqueue the task after hosts may have changed."""
    request_follow(Connection.objects.get(pk=connection_id))


def request_follow(connection: Connection) -> None:
    """Enqueue the task after commit if any meeting is out of date."""
    if with_former_organizer(connection).exists() or _with_former_participant(connection).exists():
        enqueue_on_commit(TASK, connection.pk)


def follow_organizers(connection_id: int) -> None:
    """Bring one portion of a connection's meetings up to date, and enqueue the next portion. Makes no calls."""
    connection = Connection.objects.live().filter(pk=connection_id).first()
    if connection is None:
        return
    replaced, has_more = _replace_meetings(connection)
    updated, has_more_updates = _update_participants(connection)
    if replaced or updated:
        logger.info("Connection %s: %s meetings replaced, %s updated.", connection_id, replaced, updated)
    if (replaced and has_more) or (updated and has_more_updates):
        send(TASK, connection_id)


def _replace_meetings(connection: Connection) -> tuple[int, bool]:
    """Let the owners replace a portion of the meetings. Return the number of new ones, and whether more are left."""
    former = list(with_former_organizer(connection).values_list("pk", flat=True)[: PORTION + 1])
    if not former:
        return 0, False
    return sum(owner.follow_organizers(former[:PORTION]) for owner in meeting_owners), len(former) > PORTION


def replacement_of(meeting: Meeting) -> Meeting | None:
    """Request a meeting under the present organizer and cancel `meeting`. Return the new one.

    Return None if the organizer is the present one. The owner calls it with its own rows locked.
    """
    if not with_former_organizer(meeting.connection).filter(pk=meeting.pk).exists():
        return None
    match = UserMatch.objects.get(connection=meeting.connection, staff=meeting.host_id)
    hosting = Hosting(meeting.host_id, meeting.connection, match)
    if keeps_link(meeting, hosting):
        return None
    return hand_over(meeting, host=meeting.host, hosting=hosting, starts_at=meeting.starts_at, ends_at=meeting.ends_at)


def _update_participants(connection: Connection) -> tuple[int, bool]:
    """Update a portion of the meetings whose hosts have another id or name.

    Return the number of updated ones, and whether more are left. A meeting that a worker changes now is left out.
    """
    ids = list(_with_former_participant(connection).values_list("pk", flat=True)[: PORTION + 1])
    return sum(_update_participant(connection, meeting_id) for meeting_id in ids[:PORTION]), len(ids) > PORTION


@transaction.atomic
def _update_participant(connection: Connection, meeting_id: UUID) -> bool:
    meeting = _lock_meeting(_with_former_participant(connection).filter(pk=meeting_id))
    if meeting is None:
        return False
    match = UserMatch.objects.get(connection=connection, staff=meeting.host_id)
    participants = [asdict(attendee) for attendee in platform_of(connection).attendees(connection, match)]
    if _ids(participants) == _ids(meeting.attendees):
        # The platform knows people by id, so a new name isn't worth a call for each of their meetings.
        Meeting.objects.filter(pk=meeting.pk).update(attendees=participants)
    else:
        request_participants(meeting.pk, participants)
    return True


def _lock_meeting(meetings: QuerySet[Meeting]) -> Meeting | None:
    """Lock the meeting, unless another transaction changes it: that one knows the present host."""
    return meetings.select_for_update(of=("self",), no_key=True, skip_locked=True).first()


def _ids(participants: list[dict[str, str]]) -> list[str]:
    return [participant["remote_id"] for participant in participants]

"""Request meetings. The rest of the product calls these functions.

A request only writes the desired state. It never waits for the platform and never fails because of it.
`integrations.meetings.sync` then brings the platform in sync.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Least, Now
from django.dispatch import receiver

from coconut.leases import unleased
from integrations.circuit_breaker import connection_recovered
from integrations.hosting.eligibility import Hosting
from integrations.matching.host_permission import host_permission_granted
from integrations.meetings.outcomes import NO_COUNTED_FAILURES, NO_ERROR
from integrations.meetings.signals import (
    enqueue_meeting,
    enqueue_meetings_on_commit,
    schedule_sweep,
    send_meeting_changed,
)
from integrations.models import Connection, DesiredState, Meeting, UserMatch
from integrations.platforms.base import VideoPlatform
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.subjects import clean_subject
from staff.models import StaffMember

# After an unusable answer, a success of another meeting says nothing new.
_WAITING_KINDS: Final = [kind.value for kind in ErrorKind if kind.is_waiting_useful and kind != ErrorKind.UNUSABLE]


def request_meeting(
    *, host: StaffMember, hosting: Hosting, subject: str, starts_at: datetime, ends_at: datetime
) -> Meeting:
    """Request a meeting. A worker creates it after the caller's transaction is committed.

    `hosting` says how the host can host (`Hosting.can_host`, on a connection and not by a personal link).
    Raises ValueError if it has no connection or no match.
    """
    connection, match = _connection_and_match(hosting)
    platform = platform_of(connection)
    meeting = Meeting.objects.create(
        organization_id=connection.organization_id,
        connection=connection,
        host=host,
        organizer_id=platform.organizer_id(connection, match),
        attendees=_attendees(platform, connection, match),
        subject=clean_subject(subject),
        starts_at=starts_at,
        ends_at=ends_at,
        due_at=Now(),
        enqueued_at=Now(),
    )
    # The database's clock decides when a row is due, so read its times back.
    meeting.refresh_from_db(fields=["due_at", "enqueued_at"])
    enqueue_meetings_on_commit([meeting.pk])
    return meeting


def _connection_and_match(hosting: Hosting) -> tuple[Connection, UserMatch]:
    if hosting.connection is None or hosting.match is None:
        raise ValueError("A meeting needs a connection and the host's match on it.")
    return hosting.connection, hosting.match


def _attendees(platform: VideoPlatform, connection: Connection, match: UserMatch) -> list[dict[str, str]]:
    return [asdict(attendee) for attendee in platform.attendees(connection, match)]


def keeps_link(meeting: Meeting, hosting: Hosting) -> bool:
    """Return whether the meeting keeps its link if another person hosts it."""
    if hosting.connection is None or hosting.match is None or meeting.desired_state != DesiredState.PRESENT:
        return False
    connection, match = hosting.connection, hosting.match
    organizer = platform_of(connection).organizer_id(connection, match)
    return (meeting.connection_id, meeting.organizer_id) == (connection.pk, organizer)


def hand_over(
    meeting: Meeting, *, host: StaffMember, hosting: Hosting, starts_at: datetime, ends_at: datetime
) -> Meeting:
    """Request another host, perhaps at another time, and return the meeting that is now live.

    If the organizer on the platform stays, it is the same meeting with the same link. Otherwise a new meeting replaces
    it, and the old one is cancelled. Raises ValueError if the host has no connection or no match.
    """
    connection, match = _connection_and_match(hosting)
    if keeps_link(meeting, hosting):
        attendees = _attendees(platform_of(connection), connection, match)
        _request_change(meeting.pk, host=host, attendees=attendees, starts_at=starts_at, ends_at=ends_at)
        return meeting
    replacement = request_meeting(
        host=host, hosting=hosting, subject=meeting.subject, starts_at=starts_at, ends_at=ends_at
    )
    request_cancel(meeting.pk)
    Meeting.objects.filter(pk=meeting.pk).update(replaced_by=replacement)
    return replacement


def request_move(meeting_id: UUID, *, starts_at: datetime, ends_at: datetime) -> None:
    """Request another time. The link stays. A cancelled meeting is left unchanged."""
    _request_change(meeting_id, starts_at=starts_at, ends_at=ends_at)


def rename(meeting_id: UUID, subject: str) -> None:
    """Request another subject. A cancelled meeting is left unchanged."""
    _request_change(meeting_id, subject=clean_subject(subject))


def request_participants(meeting_id: UUID, attendees: list[dict[str, str]]) -> None:
    """Request another list of participants. The link stays. A cancelled meeting is left unchanged."""
    _request_change(meeting_id, attendees=attendees)


def request_cancel(meeting_id: UUID) -> None:
    """Request that the meeting doesn't exist. A meeting that was never claimed is cancelled at once, without a call."""
    never_claimed = Q(claimed_at__isnull=True)
    _request_change(
        meeting_id,
        desired_state=DesiredState.ABSENT,
        synced_version=Case(
            When(never_claimed, then=F("version") + 1),
            default=F("synced_version"),
            output_field=IntegerField(),
        ),
        due_at=Case(When(never_claimed, then=Value(None)), default=Now()),
    )


def _request_change(meeting_id: UUID, **desired_values: Any) -> None:
    """Change the desired state by one UPDATE, so that requests and workers may come in any order.

    A worker that holds the meeting sees the newer version when it records its outcome.
    """
    values = {
        "version": F("version") + 1,
        "due_at": Now(),
        "enqueued_at": Now(),
        **NO_COUNTED_FAILURES,
        **desired_values,
    }
    if Meeting.objects.filter(pk=meeting_id, desired_state=DesiredState.PRESENT).update(**values):
        send_meeting_changed(meeting_id)
        enqueue_meetings_on_commit([meeting_id])


def try_again(meetings: QuerySet[Meeting]) -> int:
    """Make failed meetings due again with fresh counts of attempts and failures, and return their number.

    Meetings of a disconnected connection can't be synced and keep their error.
    """
    with transaction.atomic():
        failed = Meeting.objects.failed().filter(
            pk__in=meetings.values("pk"), connection__in=Connection.objects.live().values("pk")
        )
        ids = list(failed.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        Meeting.objects.filter(pk__in=ids).update(
            due_at=Now(), enqueued_at=None, attempts=0, **NO_COUNTED_FAILURES, **NO_ERROR
        )
        for meeting_id in ids:
            send_meeting_changed(meeting_id)
        if len(ids) == 1:
            enqueue_meeting(ids[0])
        elif ids:
            schedule_sweep()
    return len(ids)


@receiver(host_permission_granted)
def retry_refused_meetings(connection_id: int, remote_ids: frozenset[str], **kwargs: Any) -> None:
    """Try meetings again that failed because their organizers had no host permission, if they have it now."""
    try_again(
        Meeting.objects.filter(
            connection=connection_id,
            organizer_id__in=remote_ids,
            error_kind=ErrorKind.PERSON,
            ends_at__gt=Now(),
        )
    )


@receiver(connection_recovered)
def resume_after_recovery(connection_id: int, **kwargs: Any) -> None:
    """Resume waiting meetings when the platform answers again, before their pauses end."""
    resume_waiting(connection_id)
    if kwargs.get("was_gone"):
        resume_comparisons(connection_id)


def resume_comparisons(connection_id: int) -> None:
    """Compare meetings that had an uncertain write when the connection was disconnected.

    The write may have landed since, over a newer one.
    """
    uncertain = Meeting.objects.filter(
        connection=connection_id,
        due_at__isnull=True,
        recheck_at__isnull=False,
        synced_version=F("version"),
        ends_at__gt=Now(),
    )
    # `reconciliation.resume_orphaned` deletes the orphaned ones at once.
    uncertain.exclude(is_orphaned=True).update(due_at=F("recheck_at"), enqueued_at=None)


def resume_waiting(connection_id: int) -> int:
    """Make the meetings that wait for the connection's platform due now, and return their number.

    Meetings that became due during the pause get their tasks at once, too.
    """
    is_waiting = Q(error_kind__in=_WAITING_KINDS, due_at__gt=Now()) | Q(due_at__lte=Now(), enqueued_at__isnull=False)
    with transaction.atomic():
        resumed = Meeting.objects.filter(is_waiting, unleased(), connection=connection_id, due_at__isnull=False).update(
            due_at=Least(F("due_at"), Now()), enqueued_at=None
        )
        if resumed:
            schedule_sweep()
    return resumed

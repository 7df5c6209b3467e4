"""Asking for meetings: what the rest of the product calls.

An ask only writes down what should be; it never waits for the platform and never fails because of it. Making the
platform agree is `integrations.meetings.sync`.
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

from integrations.circuit_breaker import connection_recovered
from integrations.hosting.eligibility import Hosting
from integrations.leases import unleased
from integrations.matching.host_permission import host_permission_granted
from integrations.meetings.outcomes import NO_ERROR
from integrations.meetings.signals import (
    announce,
    enqueue_meetings_on_commit,
    nudge,
    schedule_sweep,
)
from integrations.models import Connection, DesiredState, Meeting, UserMatch
from integrations.platforms.base import VideoPlatform
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from staff.models import StaffMember

_SUBJECT_LENGTH: Final = 255
_WAITING: Final = [kind.value for kind in ErrorKind if kind.is_waiting_useful]


def request_meeting(
    *, host: StaffMember, hosting: Hosting, subject: str, starts_at: datetime, ends_at: datetime
) -> Meeting:
    """Write down that a meeting must exist; a worker makes it once the caller's transaction is committed.

    `hosting` says how the host can host (`hosting.can_host` with a connection, not a personal link).
    ValueError: it has no connection or no match.
    """
    connection, match = _host_of(hosting)
    platform = platform_of(connection)
    meeting = Meeting.objects.create(
        organization_id=connection.organization_id,
        connection=connection,
        host=host,
        organizer_id=platform.organizer_id(connection, match),
        attendees=_attendees(platform, connection, match),
        subject=subject[:_SUBJECT_LENGTH],
        starts_at=starts_at,
        ends_at=ends_at,
        due_at=Now(),
        enqueued_at=Now(),
    )
    # The database's clock decides when something is due, so its answer is read back.
    meeting.refresh_from_db(fields=["due_at", "enqueued_at"])
    enqueue_meetings_on_commit([meeting.pk])
    return meeting


def _host_of(hosting: Hosting) -> tuple[Connection, UserMatch]:
    if hosting.connection is None or hosting.match is None:
        raise ValueError("A meeting needs a connection and the host's match on it.")
    return hosting.connection, hosting.match


def _attendees(platform: VideoPlatform, connection: Connection, match: UserMatch) -> list[dict[str, str]]:
    return [asdict(attendee) for attendee in platform.attendees(connection, match)]


def keeps_link(meeting: Meeting, hosting: Hosting) -> bool:
    """Whether the meeting, and so its link, stays when somebody who hosts there takes it over."""
    if hosting.connection is None or hosting.match is None or meeting.desired_state != DesiredState.PRESENT:
        return False
    connection, match = hosting.connection, hosting.match
    organizer = platform_of(connection).organizer_id(connection, match)
    return (meeting.connection_id, meeting.organizer_id) == (connection.pk, organizer)


def hand_over(
    meeting: Meeting, *, host: StaffMember, hosting: Hosting, starts_at: datetime, ends_at: datetime
) -> Meeting:
    """Another person hosts, perhaps at another time; return the meeting that takes place from now on.

    It is the same one, with the same link, where the organiser at the platform stays. Else a new one replaces it, and
    the old one is let go. ValueError: the host has no connection or no match.
    """
    connection, match = _host_of(hosting)
    if keeps_link(meeting, hosting):
        attendees = _attendees(platform_of(connection), connection, match)
        _ask(meeting.pk, host=host, attendees=attendees, starts_at=starts_at, ends_at=ends_at)
        return meeting
    replacement = request_meeting(
        host=host, hosting=hosting, subject=meeting.subject, starts_at=starts_at, ends_at=ends_at
    )
    request_cancel(meeting.pk)
    Meeting.objects.filter(pk=meeting.pk).update(replaced_by=replacement)
    return replacement


def request_move(meeting_id: UUID, *, starts_at: datetime, ends_at: datetime) -> None:
    """The meeting must take place at another time. Its link stays. Nothing happens to a cancelled one."""
    _ask(meeting_id, starts_at=starts_at, ends_at=ends_at)


def rename(meeting_id: UUID, subject: str) -> None:
    """The meeting must have another subject. Nothing happens to a cancelled one."""
    _ask(meeting_id, subject=subject[:_SUBJECT_LENGTH])


def request_cancel(meeting_id: UUID) -> None:
    """The meeting must not exist. One that no worker ever took up is cancelled at once, without a call."""
    untouched = Q(claimed_at__isnull=True)
    _ask(
        meeting_id,
        desired_state=DesiredState.ABSENT,
        synced_version=Case(
            When(untouched, then=F("version") + 1), default=F("synced_version"), output_field=IntegerField()
        ),
        due_at=Case(When(untouched, then=Value(None)), default=Now()),
    )


def _ask(meeting_id: UUID, **desired_state: Any) -> None:
    """One UPDATE, so that asks and workers can come in any order; whoever holds the meeting sees a newer version."""
    values = {"version": F("version") + 1, "due_at": Now(), "enqueued_at": Now(), **desired_state}
    if Meeting.objects.filter(pk=meeting_id, desired_state=DesiredState.PRESENT).update(**values):
        announce(meeting_id)
        enqueue_meetings_on_commit([meeting_id])


def try_again(meetings: QuerySet[Meeting]) -> int:
    """Have failed meetings tried again from the beginning; returns how many will be.

    Those of a disconnected connection keep their sentence, for nobody could work on them.
    """
    with transaction.atomic():
        failed = Meeting.objects.failed().filter(
            pk__in=meetings.values("pk"), connection__in=Connection.objects.live().values("pk")
        )
        ids = list(failed.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        Meeting.objects.filter(pk__in=ids).update(due_at=Now(), enqueued_at=None, attempts=0, **NO_ERROR)
        for meeting_id in ids:
            announce(meeting_id)
        if len(ids) == 1:
            nudge(ids[0])
        elif ids:
            schedule_sweep()
    return len(ids)


@receiver(host_permission_granted)
def retry_refused_meetings(connection_id: int, remote_ids: frozenset[str], **kwargs: Any) -> None:
    """Try meetings again that failed because the platform refused their organizers, who are now granted."""
    try_again(
        Meeting.objects.filter(
            connection=connection_id,
            organizer_id__in=remote_ids,
            error_kind=ErrorKind.PERSON,
            ends_at__gt=Now(),
        )
    )


@receiver(connection_recovered)
def resume_what_waited(connection_id: int, **kwargs: Any) -> None:
    """The platform answered after some trouble: nobody waits for the end of a pause that is over."""
    resume_waiting(connection_id)
    if kwargs.get("was_gone"):
        compare_what_was_left(connection_id)


def compare_what_was_left(connection_id: int) -> None:
    """An uncertain write was on its way when the connection went: it may have landed since, over a newer one."""
    left = Meeting.objects.filter(connection=connection_id, due_at__isnull=True, recheck_at__isnull=False)
    # What is to be deleted after all is seen to at once (`reconciling.resume_left_behind`).
    left = left.exclude(Q(desired_state=DesiredState.ABSENT) & ~Q(warning=""))
    left.filter(synced_version=F("version"), ends_at__gt=Now()).update(
        due_at=F("recheck_at"), enqueued_at=None
    )


def resume_waiting(connection_id: int) -> int:
    """What waits for the connection's platform becomes due now, for the platform answers again; returns how many.

    Work that became due while nobody could do it is told to the workers at once, too.
    """
    waiting = Q(error_kind__in=_WAITING, due_at__gt=Now()) | Q(due_at__lte=Now(), enqueued_at__isnull=False)
    with transaction.atomic():
        resumed = Meeting.objects.filter(
            waiting, unleased(), connection=connection_id, due_at__isnull=False
        ).update(due_at=Least(F("due_at"), Now()), enqueued_at=None)
        if resumed:
            schedule_sweep()
    return resumed

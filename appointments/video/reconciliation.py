"""Whether appointments and their meetings agree, as far as our own rows show. Nothing here calls a platform.

Every change of an appointment changes its meeting in the same transaction, so there should be nothing to find. What
was changed past that, by hand or by a fault, is found here.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from appointments.models import Appointment, Status
from integrations.meetings.findings import record_finding
from integrations.meetings.requests import request_cancel, request_move
from integrations.models import Connection, DesiredState, FindingKind, Meeting
from services.models import MeetingMethod

_NEEDS_NO_MEETING = Q(status=Status.CANCELLED) | ~Q(method=MeetingMethod.VIDEO) | ~Q(personal_meeting_url="")
_AT_THE_SAME_TIME = Q(starts_at=F("meeting__starts_at"), ends_at=F("meeting__ends_at"))


class Appointments:
    """See `integrations.hooks.MeetingOwner`."""

    def owned(self, meeting_ids: Collection[UUID]) -> Collection[UUID]:
        meetings = Appointment.objects.filter(meeting__in=meeting_ids).values_list("meeting", flat=True)
        return {meeting_id for meeting_id in meetings if meeting_id is not None}

    def repair(self, connection: Connection) -> int:
        wrong = _with_meeting(connection).filter(_NEEDS_NO_MEETING | ~_AT_THE_SAME_TIME)
        return sum(_mend(pk) for pk in wrong.values_list("pk", flat=True))


def _with_meeting(connection: Connection) -> QuerySet[Appointment]:
    """The appointments with a meeting that should take place, at whichever of the two times."""
    return Appointment.objects.filter(
        Q(ends_at__gt=Now()) | Q(meeting__ends_at__gt=Now()),
        meeting__connection=connection,
        meeting__desired_state=DesiredState.PRESENT,
    ).order_by("pk")


@transaction.atomic
def _mend(pk: int) -> bool:
    """Look again under a lock, and ask for what the appointment says. Whoever changes it now has just asked."""
    rows = Appointment.objects.select_for_update(no_key=True, skip_locked=True)
    current = rows.filter(pk=pk).first()
    # Read after the lock: a row that is joined to the locked one would be as old as the question.
    meeting = (
        Meeting.objects.filter(appointment=current, desired_state=DesiredState.PRESENT).first()
        if current
        else None
    )
    if current is None or meeting is None:
        return False
    if Appointment.objects.filter(_NEEDS_NO_MEETING, pk=pk).exists():
        return _cancel(meeting)
    if (current.starts_at, current.ends_at) == (meeting.starts_at, meeting.ends_at):
        return False
    request_move(meeting.pk, starts_at=current.starts_at, ends_at=current.ends_at)
    words = _("Its meeting was at another time than the appointment: it is moved.")
    record_finding(meeting, FindingKind.MOVED, words)
    return True


def _cancel(meeting: Meeting) -> bool:
    request_cancel(meeting.pk)
    words = _("Its meeting had not been cancelled with the appointment: it is now.")
    record_finding(meeting, FindingKind.CANCELLED, words)
    return True

"""Booked video appointments that have no link, or one elsewhere than where their staff member hosts now.

Nothing is noted when a switch, a match or a platform changes. What lacks a link is read from the appointments
themselves, so that it can be neither forgotten nor counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection as database
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from appointments.models import LIVE_STATUSES, Appointment, Status
from integrations.hosting.eligibility import Hosting, staff_able_to_host
from integrations.meetings.failed import meetings_without_link
from integrations.meetings.requests import keeps_link
from integrations.models import Connection, DesiredState, MeetingState
from services.models import MeetingMethod
from staff.models import Organization, StaffMember, VideoChoice

#: A dashboard counts no further: whoever reads that many are missing needs no exact number.
MANY: Final = 1000
_SOME_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class WithoutLink:
    """How many appointments lack a link, and for how many of them one can be made, as their host can host.

    Where `has_more`, these are of the first MANY.
    """

    everybody: int
    able: int
    has_more: bool = False


def booked_video(organization: Organization, now: datetime | None = None) -> QuerySet[Appointment]:
    """The organisation's video appointments that are still to take place or going on, unordered."""
    ours = Appointment.objects.filter(organization=organization, method=MeetingMethod.VIDEO)
    return ours.filter(status__in=LIVE_STATUSES, ends_at__gt=now or timezone.now()).order_by()


def without_link(organization: Organization) -> QuerySet[Appointment]:
    """Those for which nothing exists and nothing is being made: no meeting, or one that failed without a link."""
    now = timezone.now()
    either = _ids_without_link(organization, booked_video(organization, now), now)
    return Appointment.objects.filter(pk__in=either).order_by("starts_at", "pk")


def _ids_without_link(
    organization: Organization, booked: QuerySet[Appointment], now: datetime
) -> QuerySet[Any, int]:
    """Each half is found by an index of its own, which an OR over two tables would not be."""
    missing = booked.filter(personal_meeting_url="")
    never = missing.filter(meeting__isnull=True)
    failed = missing.filter(meeting__in=meetings_without_link(organization, now))
    return never.values_list("pk", flat=True).union(failed.values_list("pk", flat=True), all=True)


def is_able(organization: Organization) -> Exists:
    """Whether an appointment's staff member can host a video call now."""
    return Exists(staff_able_to_host(organization).filter(pk=OuterRef("staff")))


def count_without_link(organization: Organization, person: StaffMember | None = None) -> WithoutLink:
    """How many lack a link, of everybody or of one person, up to MANY. One query where there is none, else two."""
    statement, parameters = _first_without_link(organization.pk, person.pk if person else None)
    late = timezone.now() - _SOME_MOMENT
    with database.cursor() as cursor:
        cursor.execute(
            statement, [each + late if isinstance(each, datetime) else each for each in parameters]
        )
        found = [pk for (pk,) in cursor.fetchall()]
    able = Appointment.objects.filter(is_able(organization), pk__in=found[:MANY]) if found else None
    return WithoutLink(min(len(found), MANY), able.count() if able is not None else 0, len(found) > MANY)


@lru_cache(maxsize=1000)
def _first_without_link(organization: int, person: int | None) -> tuple[str, Any]:
    """The statement and its parameters as of `_SOME_MOMENT`: putting it together takes longer than the answer."""
    whose = Organization(pk=organization)
    booked = booked_video(whose, _SOME_MOMENT)
    ids = _ids_without_link(whose, booked if person is None else booked.filter(staff=person), _SOME_MOMENT)
    statement: tuple[str, Any] = ids[: MANY + 1].query.sql_with_params()
    return statement


def with_other_link(organization: Organization) -> QuerySet[Appointment]:
    """Those to come that have a link that works, while their staff member hosts, and can host, somewhere else.

    Where the client has arrived it is left alone: somebody holds that link in their hands.
    """
    to_come = booked_video(organization).filter(status=Status.CONFIRMED, starts_at__gt=timezone.now())
    return to_come.filter(_is_elsewhere(organization), is_able(organization)).order_by("starts_at", "pk")


def _is_elsewhere(organization: Organization) -> Q:
    """`is_elsewhere`, in the database; a connection's organiser is left to the platform."""
    default = Connection.objects.filter(organization=organization, is_default=True).values("pk")[:1]
    here = Case(
        When(staff__video_choice=VideoChoice.CONNECTION, then=F("staff__video_connection")),
        default=Subquery(default),
    )
    is_personal = Q(staff__video_choice=VideoChoice.PERSONAL)
    on_personal_link = ~Q(personal_meeting_url="")
    has_meeting = Q(meeting__state=MeetingState.READY)
    return (
        (on_personal_link & ~(is_personal & Q(personal_meeting_url=F("staff__personal_meeting_url"))))
        | (has_meeting & is_personal)
        | (has_meeting & ~is_personal & ~Q(meeting__connection=here))
    )


def lacks_link(appointment: Appointment) -> bool:
    """What `without_link` finds, of one appointment."""
    if appointment.personal_meeting_url:
        return False
    meeting = appointment.meeting
    return meeting is None or (
        meeting.desired_state == DesiredState.PRESENT
        and meeting.state == MeetingState.FAILED
        and not meeting.join_url
    )


def is_elsewhere(appointment: Appointment, hosting: Hosting) -> bool:
    """Whether its link works, but is not the one that it would get now from whoever hosts it."""
    if appointment.personal_meeting_url:
        return appointment.personal_meeting_url != hosting.personal_url
    meeting = appointment.meeting
    if meeting is None or meeting.state != MeetingState.READY:
        return False
    return not keeps_link(meeting, hosting)

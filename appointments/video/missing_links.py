"""Booked video appointments that have no link, or a link on another platform than their staff member uses now.

Missing links are computed on read. Nothing is recorded when a switch, a match or a platform changes, so no appointment
can be forgotten or counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from appointments.models import Appointment, AppointmentQuerySet, Status
from integrations.hosting.eligibility import Hosting, staff_able_to_host
from integrations.meetings.failed import meetings_without_link
from integrations.meetings.requests import keeps_link
from integrations.models import Connection, DesiredState, MeetingState
from staff.models import Organization, StaffMember, VideoChoice

#: Dashboards count no further than this.
COUNT_LIMIT: Final = 1000


@dataclass(frozen=True)
class MissingLinks:
    """Number of appointments without a link, and of those whose staff member can host now.

    If `has_more`, only the first COUNT_LIMIT are counted.
    """

    total: int
    able: int
    has_more: bool = False


def without_link(organization: Organization) -> AppointmentQuerySet:
    """Return the live video appointments with no meeting, or with one that failed without a link."""
    missing = _ids_without_link(organization)
    return Appointment.objects.filter(pk__in=missing).order_by("starts_at", "pk")


def _ids_without_link(organization: Organization, person: StaffMember | None = None) -> QuerySet[Any, int]:
    """Return the pks of `without_link`, of one person if given.

    Each half of the UNION uses an index of its own; an OR over two tables could use neither.
    """
    now = timezone.now()
    missing = Appointment.objects.live_video(organization, now).filter(personal_meeting_url="")
    if person is not None:
        missing = missing.filter(staff=person)
    without_meeting = missing.filter(meeting__isnull=True)
    failed = missing.filter(meeting__in=meetings_without_link(organization, now))
    return without_meeting.values_list("pk", flat=True).union(failed.values_list("pk", flat=True), all=True)


def host_is_able(organization: Organization) -> Exists:
    """Return a condition on appointments: their staff member can host a video call now."""
    return Exists(staff_able_to_host(organization).filter(pk=OuterRef("staff")))


def count_without_link(organization: Organization, person: StaffMember | None = None) -> MissingLinks:
    """Count the missing links, of all staff or of one person, up to COUNT_LIMIT. Takes one or two queries."""
    missing = list(_ids_without_link(organization, person)[: COUNT_LIMIT + 1])
    if not missing:
        return MissingLinks(0, 0)
    counted = missing[:COUNT_LIMIT]
    able = Appointment.objects.filter(host_is_able(organization), pk__in=counted).count()
    return MissingLinks(len(counted), able, has_more=len(missing) > COUNT_LIMIT)


def with_other_link(organization: Organization) -> AppointmentQuerySet:
    """Return the upcoming appointments whose link works, but whose staff member now hosts on another platform.

    Appointments whose client has arrived are left out: the client may be about to use the link.
    """
    now = timezone.now()
    upcoming = Appointment.objects.live_video(organization, now).filter(status=Status.CONFIRMED, starts_at__gt=now)
    return upcoming.filter(_is_elsewhere(organization), host_is_able(organization)).order_by("starts_at", "pk")


def _is_elsewhere(organization: Organization) -> Q:
    """Return the condition of `is_elsewhere`, without comparing a connection's organiser."""
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
    """Return whether `without_link` would find this video appointment."""
    if appointment.personal_meeting_url:
        return False
    meeting = appointment.meeting
    return meeting is None or (
        meeting.desired_state == DesiredState.PRESENT and meeting.state == MeetingState.FAILED and not meeting.join_url
    )


def is_elsewhere(appointment: Appointment, hosting: Hosting) -> bool:
    """Return whether the appointment's link works, but differs from the one its staff member would get now."""
    if appointment.personal_meeting_url:
        return appointment.personal_meeting_url != hosting.personal_url
    meeting = appointment.meeting
    if meeting is None or meeting.state != MeetingState.READY:
        return False
    return not keeps_link(meeting, hosting)

"""Booked video appointments that have no link, for whatever reason: found again whenever somebody looks.

Nothing is noted when a switch, a match or a platform changes. What lacks a link is read from the appointments
themselves, so that it can be neither forgotten nor counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from appointments.models import LIVE_STATUSES, Appointment
from integrations.failed_links import meetings_without_link
from integrations.hosts import hosts_of
from services.models import MeetingMethod
from staff.models import Organization, StaffMember


@dataclass(frozen=True)
class WithoutLink:
    """How many appointments lack a link, and for how many of them one can be made, as their host can host."""

    everybody: int
    able: int


def booked_video(organization: Organization) -> QuerySet[Appointment]:
    """The organisation's video appointments that are still to take place or going on, unordered."""
    ours = Appointment.objects.filter(organization=organization, method=MeetingMethod.VIDEO)
    return ours.filter(status__in=LIVE_STATUSES, ends_at__gt=timezone.now()).order_by()


def without_link(organization: Organization) -> QuerySet[Appointment]:
    """Those for which nothing exists and nothing is being made: no meeting, or one that failed without a link.

    Each half is found by an index of its own, which an OR over two tables would not be.
    """
    booked = booked_video(organization).filter(personal_meeting_url="")
    never = booked.filter(meeting__isnull=True)
    failed = booked.filter(meeting__in=meetings_without_link(organization, timezone.now()))
    either = never.values("pk").union(failed.values("pk"), all=True)
    return Appointment.objects.filter(pk__in=either).order_by("starts_at", "pk")


def is_able(organization: Organization) -> Exists:
    """Whether an appointment's staff member can host a video call now. Asks the database once, for the connections."""
    return Exists(hosts_of(organization).filter(pk=OuterRef("staff")))


def count_without_link(organization: Organization, person: StaffMember | None = None) -> WithoutLink:
    """How many lack a link, of everybody or of one person. Two queries."""
    found = without_link(organization)
    if person is not None:
        found = found.filter(staff=person)
    counts = found.order_by().aggregate(everybody=Count("pk"), able=Count("pk", filter=is_able(organization)))
    return WithoutLink(**counts)

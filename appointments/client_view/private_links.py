"""Appointment pages behind private links: phase, join target, and times to move to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.absolute_urls import PRIVATE_LINKS_LAST
from appointments.availability.calendars import Durations
from appointments.availability.slots import next_free
from appointments.models import Appointment, Status
from appointments.video.link_state import LinkState, link_of

# Meetings run late: the link works for a while after the end.
_STILL_JOINABLE = timedelta(hours=2)
# More than a day can have, so that no day is cut.
_TIMES_SHOWN = 100
_DAYS_SHOWN = 7


class Phase(StrEnum):
    """Phase of an appointment for the client."""

    AHEAD = "ahead"
    BEGUN = "begun"
    OVER = "over"
    CANCELLED = "cancelled"


def phase_of(appointment: Appointment) -> Phase:
    if appointment.status == Status.CANCELLED:
        return Phase.CANCELLED
    now = timezone.now()
    if appointment.ends_at <= now:
        return Phase.OVER
    return Phase.AHEAD if appointment.starts_at > now else Phase.BEGUN


def private_links_have_ended(appointment: Appointment) -> bool:
    """Return whether the links no longer open the appointment, so that old emails give nothing away."""
    return appointment.ends_at + PRIVATE_LINKS_LAST <= timezone.now()


@dataclass(frozen=True)
class JoinTarget:
    """Target of a join link: a URL, or the state that explains why there is none."""

    state: str
    url: str = ""


def join_target_of(appointment: Appointment) -> JoinTarget:
    """Return the join target: `open` with a URL, else `wait`, `failed`, `over`, `cancelled` or `not_video`."""
    link = link_of(appointment)
    if link.state == LinkState.CANCELLED:
        return JoinTarget("cancelled")
    if appointment.ends_at + _STILL_JOINABLE <= timezone.now():
        return JoinTarget("over")
    if link.can_join and link.url:
        return JoinTarget("open", link.url)
    if link.state in (LinkState.PENDING, LinkState.WAITING):
        return JoinTarget("wait")
    return JoinTarget("not_video" if link.state == LinkState.NOT_VIDEO else "failed")


@dataclass(frozen=True)
class TimesToMoveTo:
    """Days with their free times. `later` is the first day of the next page; None on the last page."""

    days: list[tuple[date, list[datetime]]]
    later: date | None


def times_to_move_to(appointment: Appointment, zone: ZoneInfo, first: date | None = None) -> TimesToMoveTo:
    """Return the next times that the client can move to, with the same staff member, by day of the zone.

    A staff member who left has none.
    """
    if not appointment.staff.is_active:
        return TimesToMoveTo([], None)
    start = datetime.combine(first, time(), zone) if first is not None else timezone.now()
    found = next_free(
        appointment.service,
        appointment.staff,
        start,
        _TIMES_SHOWN + 1,
        durations=Durations.of_appointment(appointment),
        for_clients=True,
        method=appointment.method,
        location=appointment.location,
        ignoring=appointment,
    )
    by_day = groupby(found, key=lambda start: start.astimezone(zone).date())
    days = [(day, list(starts)) for day, starts in by_day]
    is_cut = len(found) > _TIMES_SHOWN and len(days) > 1
    shown = days[: min(_DAYS_SHOWN, len(days) - is_cut)]
    return TimesToMoveTo(shown, days[len(shown)][0] if len(days) > len(shown) else None)

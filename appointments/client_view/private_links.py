"""Appointment pages behind private links: phase, join target, and times to move to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.absolute_urls import PRIVATE_LINKS_LAST
from appointments.attention.other_times import other_times
from appointments.availability.start_times import most_starts_a_day
from appointments.models import Appointment, Status
from appointments.video.link_state import LinkState, link_of

# Meetings run late: the link works for a while after the end.
_STILL_JOINABLE = timedelta(hours=2)
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
    """Return the next times that the client can move to, by day of the zone: with the same staff member.

    If the staff member leaves before the appointment, times with colleagues follow.
    """
    start = datetime.combine(first, time(), zone) if first is not None else timezone.now()
    # As many as a day can have, so that no day is cut. The appointment's own time may be left out.
    most = most_starts_a_day(appointment.service)
    found = other_times(appointment, start, most + 1)
    by_day = groupby(found, key=lambda start: start.astimezone(zone).date())
    days = [(day, list(starts)) for day, starts in by_day]
    is_cut = len(found) >= most and len(days) > 1
    shown = days[: min(_DAYS_SHOWN, len(days) - is_cut)]
    return TimesToMoveTo(shown, days[len(shown)][0] if len(days) > len(shown) else None)

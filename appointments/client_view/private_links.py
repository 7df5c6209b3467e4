"""What the holder of a private link sees of an appointment, and may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.availability.calendars import Durations
from appointments.availability.slots import next_free
from appointments.models import Appointment, Status
from appointments.video.link_state import Link, LinkState, link_of

# Meetings run late, and people come back to fetch what they forgot: the link works a while after the end.
_STILL_JOINABLE = timedelta(hours=2)
# More than a day has: no day is shown in part.
_TIMES_SHOWN = 100
_DAYS_SHOWN = 7


class Phase(StrEnum):
    """Where an appointment stands for the client."""

    AHEAD = "ahead"
    BEGUN = "begun"
    OVER = "over"
    CANCELLED = "cancelled"


def phase_of(appointment: Appointment) -> Phase:
    """Where an appointment stands now."""
    if appointment.status == Status.CANCELLED:
        return Phase.CANCELLED
    now = timezone.now()
    if appointment.ends_at <= now:
        return Phase.OVER
    return Phase.AHEAD if appointment.starts_at > now else Phase.BEGUN


def client_zone(appointment: Appointment) -> ZoneInfo:
    """The zone the client reads times in: their own, else the organisation's, as in the mails."""
    zone: ZoneInfo = appointment.client.time_zone or appointment.organization.time_zone
    return zone


@dataclass(frozen=True)
class JoinTarget:
    """What stands behind a join link: the way in, or the reason why there is none (yet)."""

    state: str
    url: str = ""


def join_target_of(appointment: Appointment) -> JoinTarget:
    """Where the join link leads now: state `open` with the address, else `wait`, `failed`, `over`, `cancelled`."""
    link = link_of(appointment)
    if link.state == LinkState.CANCELLED:
        return JoinTarget("cancelled")
    if appointment.ends_at + _STILL_JOINABLE <= timezone.now():
        return JoinTarget("over")
    return _door_of_link(link)


def _door_of_link(link: Link) -> JoinTarget:
    if link.can_join and link.url:
        return JoinTarget("open", link.url)
    if link.state in (LinkState.PENDING, LinkState.WAITING):
        return JoinTarget("wait")
    return JoinTarget("not_video" if link.state == LinkState.NOT_VIDEO else "failed")


@dataclass(frozen=True)
class TimesToMoveTo:
    """Some days with the times on them; `later` is the day to go on from, None where nothing follows."""

    days: list[tuple[date, list[datetime]]]
    later: date | None


def times_to_move_to(appointment: Appointment, zone: ZoneInfo, first: date | None = None) -> TimesToMoveTo:
    """The next times the client may choose, from a day of the zone on, with the same person, by day of the zone."""
    start = datetime.combine(first, time(), zone) if first is not None else timezone.now()
    found = next_free(
        appointment.service,
        appointment.staff,
        start,
        _TIMES_SHOWN + 1,
        durations=Durations.of_appointment(appointment),
        for_clients=True,
        location=appointment.location,
        ignoring=appointment,
    )
    days = _by_day((moment for moment in found if moment != appointment.starts_at), zone)
    is_cut = len(found) > _TIMES_SHOWN and len(days) > 1
    shown = days[: min(_DAYS_SHOWN, len(days) - is_cut)]
    return TimesToMoveTo(shown, days[len(shown)][0] if len(days) > len(shown) else None)


def _by_day(moments: Iterable[datetime], zone: ZoneInfo) -> list[tuple[date, list[datetime]]]:
    days = groupby(moments, key=lambda moment: moment.astimezone(zone).date())
    return [(day, list(times)) for day, times in days]

"""Previous values of an appointment, for emails about a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.models import Appointment
from appointments.notifications.ics import address_of
from services.models import MeetingMethod
from staff.models import StaffMember


@dataclass(frozen=True)
class PreviousValues:
    """Previous values that differ from the present ones, others empty. `method` and `address` come together.

    `local_start` is what clocks in its own time zone were to show. After a change of the zone's rules that isn't what
    they show at `starts_at`.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    local_start: datetime | None = None
    staff: str = ""
    # None in a snapshot of an earlier version.
    staff_id: int | None = None
    method: str = ""
    address: str = ""
    was_video: bool = False


def snapshot(appointment: Appointment) -> dict[str, Any]:
    """Return the present values as JSON. Load the appointment with its staff member and location."""
    return {
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "local_start": appointment.local_start.isoformat() if appointment.local_start else "",
        "local_zone": appointment.local_zone.key if appointment.local_zone else "",
        "staff": appointment.staff.name,
        "staff_id": appointment.staff_id,
        "method": int(appointment.method),
        "address": address_of(appointment),
        "staff_link": _staff_link_fingerprint(appointment),
    }


def previous_values(appointment: Appointment, before: dict[str, Any] | None) -> PreviousValues:
    """Return what has changed since `before`, a `snapshot`, was taken."""
    if before is None:
        return PreviousValues()
    now = snapshot(appointment)
    differs: dict[str, Any] = {}
    if (before["starts_at"], before["ends_at"]) != (now["starts_at"], now["ends_at"]):
        differs |= {name: datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at")}
    # A snapshot of an earlier version has no local start.
    was_local, zone = before.get("local_start", ""), before.get("local_zone", "")
    if was_local and (differs or (was_local, zone) != (now["local_start"], now["local_zone"])):
        differs["local_start"] = datetime.fromisoformat(was_local).replace(tzinfo=ZoneInfo(zone))
    if before["staff"] != now["staff"]:
        differs |= {"staff": before["staff"], "staff_id": before.get("staff_id")}
    if (before["method"], before["address"]) != (now["method"], now["address"]):
        method = MeetingMethod(before["method"])
        was_video = method == MeetingMethod.VIDEO != now["method"]
        differs |= {"method": str(method.label), "address": before["address"], "was_video": was_video}
    return PreviousValues(**differs)


def without_leaver(previous: PreviousValues) -> PreviousValues:
    """Return the values without the name of a previous staff member who has left since."""
    if previous.staff_id is None:
        return previous
    person = StaffMember.objects.filter(pk=previous.staff_id).first()
    return replace(previous, staff="") if person is None or person.has_left_at(timezone.now()) else previous


def has_new_staff_link(appointment: Appointment, before: dict[str, Any]) -> bool:
    """Return whether the staff member's join link differs from the one at the time of `before`, a `snapshot`.

    A snapshot of an earlier version has no link. The present one then counts as new.
    """
    now = _staff_link_fingerprint(appointment)
    return bool(now) and now != before.get("staff_link")


def _staff_link_fingerprint(appointment: Appointment) -> str:
    """Return a hash of the staff member's join link, which doesn't reveal it; "" if there is no video call."""
    if not appointment.has_video_link:
        return ""
    return sha256(appointment.staff_join_token.encode()).hexdigest()[:16]

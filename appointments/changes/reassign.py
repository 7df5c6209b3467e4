"""Candidates for reassigning an appointment at its time, with the effect on its link."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.calendars import Calendar, Durations, load_calendars
from appointments.booking.candidates import staff_candidates
from appointments.models import Appointment
from integrations.hosting.blocking_reasons import BlockingReason
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings.requests import keeps_link
from services.models import MeetingMethod
from staff.models import StaffMember


@dataclass(frozen=True)
class Candidate:
    """A staff member, with notes for the person who reassigns."""

    member: StaffMember
    notes: list[str]


@dataclass(frozen=True)
class Candidates:
    """Staff who can take the appointment, who are busy or off then, and who can't host its video call."""

    able: list[Candidate] = field(default_factory=list)
    busy: list[Candidate] = field(default_factory=list)
    unable: list[tuple[StaffMember, BlockingReason]] = field(default_factory=list)


def candidates_for(appointment: Appointment) -> Candidates:
    """Return the candidates among the other staff who provide the service. Takes a constant number of queries."""
    people = staff_candidates(appointment.organization, appointment.service, appointment.method)
    others = [member for member in people.able.load_all() if member.pk != appointment.staff_id]
    is_video = appointment.method == MeetingMethod.VIDEO
    hostings = hosting_of(others) if is_video and others else {}
    day = timezone.localtime(appointment.starts_at).date()
    calendars = load_calendars(
        others, day, day, method=appointment.method, location=appointment.location, ignoring=appointment
    )
    start, durations = int(appointment.starts_at.timestamp()), Durations.of_appointment(appointment)
    found = Candidates(unable=[pair for pair in people.unable if pair[0].pk != appointment.staff_id])
    for member in others:
        if reason := _busy_reason(calendars[member.pk], start, durations):
            found.busy.append(Candidate(member, [reason]))
            continue
        is_open = calendars[member.pk].is_open(start, durations)
        notes = [
            "" if is_open else _("Outside their working hours."),
            _link_note(appointment, hostings.get(member.pk)),
        ]
        found.able.append(Candidate(member, [note for note in notes if note]))
    return found


def _busy_reason(calendar: Calendar, start: int, durations: Durations) -> str:
    if calendar.is_taken(start, durations):
        return _("Has another appointment then.")
    return _("Is off then.") if calendar.is_off(start, durations) else ""


def _link_note(appointment: Appointment, hosting: Hosting | None) -> str:
    if hosting is None:
        return ""
    if hosting.personal_url:
        named = _("On their personal link, %(address)s.") % {"address": hosting.personal_url}
        return f"{named} {hosting.personal_note}".strip()
    if appointment.meeting is not None and keeps_link(appointment.meeting, hosting):
        return _("Same link.")
    return _("New link: the join link that the client has leads to it.")

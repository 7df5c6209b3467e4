"""Who could take an appointment over at its time, who could not and why, and what becomes of its link."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.calendars import Calendar, Durations, load_calendars
from appointments.booking.candidates import people_for
from appointments.models import Appointment
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.hosting.reasons import BlockingReason
from integrations.meetings.requests import keeps_link
from services.models import MeetingMethod
from staff.models import StaffMember


@dataclass(frozen=True)
class Candidate:
    """Somebody who could take it over; `notes` are what is to be known before."""

    member: StaffMember
    notes: list[str]


@dataclass(frozen=True)
class Candidates:
    """`unable` cannot host the video call (and what is to be done), `busy` have no time then."""

    able: list[Candidate] = field(default_factory=list)
    busy: list[Candidate] = field(default_factory=list)
    unable: list[tuple[StaffMember, BlockingReason]] = field(default_factory=list)


def candidates_for(appointment: Appointment) -> Candidates:
    """Everybody but its staff member who provides the service, with a constant number of queries."""
    people = people_for(appointment.organization, appointment.service, appointment.method)
    others = [member for member in people.able if member.pk != appointment.staff_id]
    is_video = appointment.method == MeetingMethod.VIDEO
    hostings = hosting_of(others) if is_video and others else {}
    day = timezone.localtime(appointment.starts_at).date()
    calendars = load_calendars(others, day, day, location=appointment.location, ignoring=appointment)
    found = Candidates(unable=[pair for pair in people.unable if pair[0].pk != appointment.staff_id])
    for member in others:
        if reason := _no_time(appointment, calendars[member.pk]):
            found.busy.append(Candidate(member, [reason]))
            continue
        notes = [_hours(appointment, calendars[member.pk]), _link(appointment, hostings.get(member.pk))]
        found.able.append(Candidate(member, [words for words in notes if words]))
    return found


def _no_time(appointment: Appointment, calendar: Calendar) -> str:
    start, lengths = int(appointment.starts_at.timestamp()), Durations.of_appointment(appointment)
    if calendar.is_taken(start, lengths):
        return _("Has another appointment then.")
    return _("Is off then.") if calendar.is_off(start, lengths) else ""


def _hours(appointment: Appointment, calendar: Calendar) -> str:
    start, lengths = int(appointment.starts_at.timestamp()), Durations.of_appointment(appointment)
    return "" if calendar.is_open(start, lengths) else _("Outside their working hours.")


def _link(appointment: Appointment, hosting: Hosting | None) -> str:
    if hosting is None:
        return ""
    if hosting.personal_url:
        named = _("On their personal link, %(address)s.") % {"address": hosting.personal_url}
        return f"{named} {hosting.personal_note}".strip()
    if appointment.meeting is not None and keeps_link(appointment.meeting, hosting):
        return _("Same link.")
    return _("New link: the join link that the client has leads to it.")

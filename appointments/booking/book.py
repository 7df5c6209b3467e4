"""Book an appointment in one transaction, which locks the staff member and then checks the rules again.

The exclusion constraint on Appointment makes a double booking impossible. The lock and the checks make hitting it rare
and the answer friendly. Nothing here calls another system: meetings, emails and the broker follow after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError

from appointments.answers import NewAnswer, save_answers
from appointments.availability.calendars import Durations
from appointments.booking_rules.client_overlap import check_client_is_free
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.booking_rules.limits import (
    check_client_limits,
    check_daily_limit,
    lock_service_with_client_limits,
)
from appointments.booking_rules.locks import lock_client, lock_staff
from appointments.booking_rules.lost_race import run_with_retry
from appointments.booking_rules.validation import (
    Owned,
    SlotRequest,
    check_location,
    check_offered,
    check_reachable,
    check_same_organization,
    check_time,
    set_times,
    time_taken,
)
from appointments.models import Appointment, AppointmentEventKind, BookedThrough, Client
from appointments.notifications.outbox import notify_booked
from appointments.timeline import Fact, local_time, record_event
from appointments.video.meeting import arrange_video
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember


@dataclass(frozen=True)
class Booking:
    """A requested booking without its staff member; see `book_appointment`."""

    organization: Organization
    service: Service
    client: Client
    starts_at: datetime
    method: int
    actor: StaffMember | None
    through: str
    request_key: str | None = None
    location: Location | None = None
    client_time_zone: ZoneInfo | None = None
    client_note: str = ""
    internal_note: str = ""
    outside_hours: bool = False
    client_must_be_free: bool = False
    answers: Sequence[NewAnswer] = ()

    @property
    def rows(self) -> Mapping[str, Owned | None]:
        """Rows that must belong to the organisation, by form field."""
        return {"service": self.service, "client": self.client, "location": self.location, "": self.actor}

    def slot_request_for(self, staff: StaffMember) -> SlotRequest:
        """Return the requested slot with this staff member."""
        return SlotRequest(
            service=self.service,
            staff=staff,
            # In UTC, because arithmetic in a local zone loses the fold of an hour that comes twice.
            starts_at=self.starts_at.astimezone(UTC).replace(second=0, microsecond=0),
            durations=Durations.of_service(self.service),
            through=BookedThrough(self.through),
            method=self.method,
            location=self.location,
            outside_hours=self.outside_hours,
        )


def book_appointment(
    *,
    organization: Organization,
    service: Service,
    staff: StaffMember,
    client: Client,
    starts_at: datetime,
    method: int,
    actor: StaffMember | None,
    through: str,
    request_key: str | None = None,
    location: Location | None = None,
    client_time_zone: ZoneInfo | None = None,
    client_note: str = "",
    internal_note: str = "",
    outside_hours: bool = False,
    client_must_be_free: bool = False,
    answers: Sequence[NewAnswer] = (),
) -> Appointment:
    """Book `service` with `staff` at `starts_at` (aware; seconds are dropped) and return the appointment.

    If an appointment with the same `request_key` exists, it is returned unchanged; keys must be unguessable.
    `outside_hours` is for staff and ignored in the Client View. With `client_must_be_free`, an appointment of the
    client at the same time raises ClientBusy. Raises BookingError, or TimeTaken with the next free times. Never waits
    for the video platform, the email server or the broker, and never fails because of them.
    """
    wanted = Booking(
        organization=organization,
        service=service,
        client=client,
        starts_at=starts_at,
        method=method,
        actor=actor,
        through=through,
        request_key=request_key or None,
        location=location,
        client_time_zone=client_time_zone,
        client_note=client_note,
        internal_note=internal_note,
        outside_hours=outside_hours,
        client_must_be_free=client_must_be_free,
        answers=answers,
    )
    check_same_organization(organization, {**wanted.rows, "staff": staff})
    try:
        return run_with_retry(lambda: attempt_booking(wanted, staff))
    except (BookingError, IntegrityError) as error:
        if (existing := find_repeated_booking(wanted)) is not None:
            return existing
        if isinstance(error, TimeTaken):
            raise _with_next_free(error, time_taken(wanted.slot_request_for(staff))) from None
        raise


def attempt_booking(wanted: Booking, staff: StaffMember) -> Appointment:
    """Try once to book, inside the caller's transaction.

    A repeated request fails here like any other, because its own appointment has the time. Callers then use
    `find_repeated_booking`, so that a first request never pays for that query.
    """
    # In the order of docs/architecture.md, as an edit of the client's email address locks both, too.
    lock_service_with_client_limits(wanted.service, wanted.through)
    wanted = replace(wanted, client=lock_client(wanted.client))
    request = wanted.slot_request_for(lock_staff(staff))
    check_offered(request, wanted.method)
    check_reachable(wanted.client, wanted.method)
    if wanted.method == MeetingMethod.AT_LOCATION and (place := _place_of(wanted, request.staff)):
        check_location(place)
    check_client_limits(request, wanted.client)
    check_time(request)
    check_daily_limit(request)
    appointment = _new_appointment(wanted, request)
    if wanted.client_must_be_free:
        check_client_is_free(appointment, wanted.actor)
    return _save_booking(appointment, wanted.answers)


def _with_next_free(error: TimeTaken, taken: TimeTaken) -> TimeTaken:
    """Return `taken` as an error of the same class as `error`."""
    return type(error)(taken.sentence, taken.next_free)


def find_repeated_booking(wanted: Booking) -> Appointment | None:
    """Return the appointment that the same request has already made, if any."""
    if wanted.request_key is None:
        return None
    return Appointment.objects.filter(organization=wanted.organization, request_key=wanted.request_key).first()


def _place_of(wanted: Booking, staff: StaffMember) -> Location | None:
    if wanted.method == MeetingMethod.AT_LOCATION:
        return wanted.location or staff.location
    return wanted.location


def _new_appointment(wanted: Booking, request: SlotRequest) -> Appointment:
    appointment = Appointment(
        organization=wanted.organization,
        service=wanted.service,
        staff=request.staff,
        client=wanted.client,
        location=_place_of(wanted, request.staff),
        method=wanted.method,
        booked_through=request.through,
        booked_by=wanted.actor,
        request_key=wanted.request_key,
        client_time_zone=wanted.client_time_zone,
        client_note=wanted.client_note,
        internal_note=wanted.internal_note,
    )
    set_times(appointment, request)
    appointment.anchor()
    return appointment


def _save_booking(appointment: Appointment, answers: Sequence[NewAnswer]) -> Appointment:
    """Save the appointment with its answers, the first line of its timeline and its emails."""
    if appointment.method == MeetingMethod.VIDEO:
        arrange_video(appointment)
    appointment.save(force_insert=True)
    if answers:
        save_answers(appointment, answers)
    booked_for = {"when": local_time(appointment.starts_at, appointment.zone_for(appointment.staff))}
    record_event(
        appointment,
        Fact(AppointmentEventKind.BOOKED, booked_for),
        actor=appointment.booked_by,
        through=appointment.booked_through,
    )
    notify_booked(appointment)
    return appointment

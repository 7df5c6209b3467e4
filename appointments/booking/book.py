"""Book an appointment: one transaction, which locks the staff member and then looks again.

The exclusion constraint on Appointment is what makes a double booking impossible; the lock and the checks make its
refusal rare and friendly. Nothing here calls out: meetings, mails and the broker follow after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError
from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.booking_rules.locks import lock_provider
from appointments.booking_rules.retry import run_with_retry
from appointments.booking_rules.validation import (
    Owned,
    SlotRequest,
    check_offered,
    check_reachable,
    check_same_organization,
    check_time,
    clock,
    set_times,
    taken,
)
from appointments.models import Appointment, BookedThrough, Client
from appointments.notifications.outbox import notifications_of_booking, send_soon
from appointments.timeline import line
from appointments.video.meeting import arrange_video
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember
from staff.together import insert_together


@dataclass(frozen=True)
class Booking:
    """Everything that is wanted but whose time it takes; see `book_appointment`."""

    organization: Organization
    service: Service
    client: Client
    starts_at: datetime
    method: int
    actor: StaffMember | None
    through: str
    request_key: str | None = None
    location: Location | None = None
    client_note: str = ""
    internal_note: str = ""
    outside_hours: bool = False

    @property
    def rows(self) -> Mapping[str, Owned | None]:
        """What must be of the organisation, by form field."""
        return {"service": self.service, "client": self.client, "location": self.location, "": self.actor}

    def slot_request_for(self, staff: StaffMember) -> SlotRequest:
        """The time, wanted of this person."""
        return SlotRequest(
            service=self.service,
            staff=staff,
            starts_at=self.starts_at.replace(second=0, microsecond=0),
            lengths=Durations.of_service(self.service),
            through=BookedThrough(self.through),
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
    client_note: str = "",
    internal_note: str = "",
    outside_hours: bool = False,
) -> Appointment:
    """Book `service` with `staff` at `starts_at` (aware; seconds are dropped) and return the appointment.

    A repeated `request_key`, which must be unguessable, returns the appointment it made before, unchanged.
    `outside_hours` is for staff and ignored in the Client View. Raises BookingError, or TimeTaken with the next
    free times. Never waits for, and never fails because of, the video platform, the mail server or the broker.
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
        client_note=client_note,
        internal_note=internal_note,
        outside_hours=outside_hours,
    )
    check_same_organization(organization, {**wanted.rows, "staff": staff})
    try:
        return run_with_retry(lambda: book_now(wanted, staff))
    except (BookingError, IntegrityError) as refusal:
        if (earlier := booked_before(wanted)) is not None:
            return earlier
        if isinstance(refusal, TimeTaken):
            raise taken(wanted.slot_request_for(staff)) from None
        raise


def book_now(wanted: Booking, staff: StaffMember) -> Appointment:
    """One attempt, inside the caller's transaction: three statements, and a few more for a video call.

    A request that was made before is refused like any other, by its own appointment or the database's unique key:
    only then is it worth looking for, with `booked_before`.
    """
    provision = lock_provider(wanted.organization, staff, wanted.service, wanted.method)
    wish = replace(wanted.slot_request_for(staff), staff=provision.staff)
    check_offered(wish, provision)
    check_reachable(wanted.client, wanted.method)
    check_time(wish)
    return _add(_appointment(wanted, wish))


def booked_before(wanted: Booking) -> Appointment | None:
    """The appointment that the same request has made already."""
    if wanted.request_key is None:
        return None
    return Appointment.objects.filter(
        organization=wanted.organization, request_key=wanted.request_key
    ).first()


def _appointment(wanted: Booking, wish: SlotRequest) -> Appointment:
    place = wanted.location
    if wanted.method == MeetingMethod.AT_LOCATION and place is None:
        place = wish.staff.location
    appointment = Appointment(
        organization=wanted.organization,
        service=wanted.service,
        staff=wish.staff,
        client=wanted.client,
        location=place,
        method=wanted.method,
        booked_through=wish.through,
        booked_by=wanted.actor,
        request_key=wanted.request_key,
        client_note=wanted.client_note,
        internal_note=wanted.internal_note,
    )
    set_times(appointment, wish)
    return appointment


def _add(appointment: Appointment) -> Appointment:
    """Store the appointment with its first line and its mails."""
    if appointment.method == MeetingMethod.VIDEO:
        arrange_video(appointment)
    when = clock(appointment.starts_at, appointment.staff)
    booked = line(
        appointment,
        _("Booked for %(when)s.") % {"when": when},
        actor=appointment.booked_by,
        through=appointment.booked_through,
    )
    insert_together(appointment, [booked, *notifications_of_booking(appointment)], by="appointment_id")
    send_soon()
    return appointment

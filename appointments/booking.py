"""Book an appointment: one transaction, which locks the staff member and then looks again.

The exclusion constraint on Appointment is what makes a double booking impossible; the lock and the checks make its
refusal rare and friendly. Nothing here calls out: meetings, mails and the broker follow after the commit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from appointments.availability import Lengths
from appointments.checks import (
    TimeWish,
    check_method,
    check_reachable,
    check_same_organization,
    check_service,
    check_time,
    clock,
    set_times,
)
from appointments.locking import lock_staff
from appointments.models import Appointment, BookedThrough, Client, NotificationKind
from appointments.notifications import tell_everybody
from appointments.races import settle
from appointments.timeline import note
from appointments.video import arrange_video
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember


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
    `outside_hours` is for staff and ignored in the Client View. Raises BookingRefused, or TimeTaken with the next
    free times. Never waits for, and never fails because of, the video platform, the mail server or the broker.
    """
    check_same_organization(
        organization,
        {"service": service, "staff": staff, "client": client, "location": location, "": actor},
    )
    wish = TimeWish(
        service=service,
        staff=staff,
        starts_at=starts_at.replace(second=0, microsecond=0),
        lengths=Lengths.of_service(service),
        through=BookedThrough(through),
        location=location,
        outside_hours=outside_hours,
    )

    def attempt() -> Appointment:
        locked = replace(wish, staff=lock_staff(staff))
        if earlier := _booked_before(organization, request_key):
            return earlier
        check_service(service, locked.staff, wish.through)
        check_method(service, method, wish.through)
        check_reachable(client, method)
        check_time(locked)
        appointment = _from_wish(locked, organization, client, method)
        appointment.booked_by = actor
        appointment.request_key = request_key or None
        appointment.client_note, appointment.internal_note = client_note, internal_note
        return _add(appointment)

    return settle(attempt, wish)


def _booked_before(organization: Organization, request_key: str | None) -> Appointment | None:
    if not request_key:
        return None
    return Appointment.objects.filter(organization=organization, request_key=request_key).first()


def _from_wish(wish: TimeWish, organization: Organization, client: Client, method: int) -> Appointment:
    place = wish.location
    if method == MeetingMethod.AT_LOCATION and place is None:
        place = wish.staff.location
    appointment = Appointment(
        organization=organization,
        service=wish.service,
        staff=wish.staff,
        client=client,
        location=place,
        method=method,
        booked_through=wish.through,
    )
    set_times(appointment, wish)
    return appointment


def _add(appointment: Appointment) -> Appointment:
    if appointment.method == MeetingMethod.VIDEO:
        arrange_video(appointment)
    appointment.save(force_insert=True)
    when = clock(appointment.starts_at, appointment.staff)
    note(
        appointment,
        _("Booked for %(when)s.") % {"when": when},
        actor=appointment.booked_by,
        through=appointment.booked_through,
    )
    tell_everybody(appointment, NotificationKind.BOOKED)
    return appointment

"""Book, move and cancel: one transaction each, which locks the staff member and then looks again.

The exclusion constraint on Appointment is what makes a double booking impossible; the lock and the checks make its
refusal rare and friendly. Nothing here calls out: meetings, mails and the broker follow after the commit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.availability import Lengths
from appointments.checks import (
    TimeWish,
    check_active,
    check_can_host,
    check_changeable,
    check_method,
    check_reachable,
    check_same_organization,
    check_service,
    check_time,
    clock,
)
from appointments.models import (
    Appointment,
    AppointmentEvent,
    BookedThrough,
    Client,
    NotificationKind,
    Status,
)
from appointments.notifications import tell_everybody
from appointments.races import settle
from appointments.refusals import BookingRefused, TimeTaken
from integrations.hosting import hosting_of
from integrations.meetings import ask_for_meeting, ask_to_cancel, ask_to_move
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember

__all__ = ["BookingRefused", "TimeTaken", "book_appointment", "cancel_appointment", "move_appointment"]

# Which status may follow which. What is not here never happens.
ALLOWED: dict[str, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.ARRIVED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.ARRIVED: frozenset({Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.SERVED}),
    Status.SERVED: frozenset(),
    Status.NO_SHOW: frozenset({Status.ARRIVED}),
    Status.CANCELLED: frozenset(),
}


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
        locked = replace(wish, staff=_lock(staff))
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


def move_appointment(
    appointment: Appointment,
    *,
    starts_at: datetime,
    actor: StaffMember | None,
    through: str,
    outside_hours: bool = False,
) -> Appointment:
    """Give the appointment another time, with the same length, links and meeting; return it as it is now.

    The time it has already changes nothing and tells nobody. Somebody who can no longer host video still moves what
    is booked. Raises BookingRefused, or TimeTaken with the next free times.
    """
    wish = TimeWish(
        service=appointment.service,
        staff=appointment.staff,
        starts_at=starts_at.replace(second=0, microsecond=0),
        lengths=Lengths.of_appointment(appointment),
        through=BookedThrough(through),
        location=appointment.location,
        outside_hours=outside_hours,
        ignoring=appointment,
    )

    def attempt() -> Appointment:
        member, current = _lock(appointment.staff), _current(appointment, actor)
        check_changeable(current, wish.through)
        if current.starts_at == wish.starts_at:
            return current
        _check_movable(current)
        check_active(member)
        locked = replace(wish, staff=member, lengths=Lengths.of_appointment(current))
        check_time(locked)
        return _move(current, locked, actor)

    return settle(attempt, wish)


def cancel_appointment(appointment: Appointment, *, actor: StaffMember | None, through: str) -> Appointment:
    """Cancel the appointment, free its time, and let its meeting go; return it as it is now.

    Raises BookingRefused where it is cancelled or over already.
    """
    with transaction.atomic():
        _lock(appointment.staff)
        current = _current(appointment, actor)
        check_changeable(current, BookedThrough(through))
        _set_status(current, Status.CANCELLED)
        if current.meeting_id is not None:
            ask_to_cancel(current.meeting_id)
        note(current, _("Cancelled."), actor=actor, through=through)
        tell_everybody(current, NotificationKind.CANCELLED)
        return current


def note(
    appointment: Appointment, text: str, *, actor: StaffMember | None = None, through: str = ""
) -> AppointmentEvent:
    """Add a line to the appointment's timeline."""
    return AppointmentEvent.objects.create(
        appointment=appointment, actor=actor, through=through, text=text[:500]
    )


def _lock(staff: StaffMember) -> StaffMember:
    """Lock the staff member's row, as edits of hours and time off do, and return it as it is now."""
    locked = (
        StaffMember.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "location")
        .filter(pk=staff.pk)
        .first()
    )
    if locked is None:
        raise BookingRefused(_("This staff member no longer exists. Choose somebody else."), "staff")
    return locked


def _current(appointment: Appointment, actor: StaffMember | None) -> Appointment:
    """The appointment as it is now, locked; only for its own organisation."""
    check_same_organization(appointment.organization, {"": actor})
    return (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "organization", "service", "staff__organization", "staff__location", "client", "location"
        )
        .get(pk=appointment.pk)
    )


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
    _set_times(appointment, wish)
    return appointment


def _set_times(appointment: Appointment, wish: TimeWish) -> None:
    lengths = wish.lengths
    appointment.starts_at = wish.starts_at
    appointment.ends_at = wish.starts_at + timedelta(seconds=lengths.duration)
    appointment.busy_from = appointment.starts_at - timedelta(seconds=lengths.before)
    appointment.busy_to = appointment.ends_at + timedelta(seconds=lengths.after)


def _add(appointment: Appointment) -> Appointment:
    if appointment.method == MeetingMethod.VIDEO:
        _arrange_video(appointment)
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


def _arrange_video(appointment: Appointment) -> None:
    """Ask for a meeting of its own, or copy the personal link of somebody who chose that."""
    hosting = hosting_of([appointment.staff])[appointment.staff.pk]
    check_can_host(hosting)
    if hosting.personal_url:
        appointment.personal_meeting_url = hosting.personal_url
        return
    # Clients see the subject; it names nobody, as links get forwarded.
    subject = f"{appointment.service.name}, {appointment.organization.name}"
    appointment.meeting = ask_for_meeting(
        host=appointment.staff,
        hosting=hosting,
        subject=subject[:255],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )


def _move(appointment: Appointment, wish: TimeWish, actor: StaffMember | None) -> Appointment:
    words = {
        "before": clock(appointment.starts_at, wish.staff),
        "when": clock(wish.starts_at, wish.staff),
    }
    _set_times(appointment, wish)
    appointment.save(update_fields=["starts_at", "ends_at", "busy_from", "busy_to"])
    if appointment.meeting_id is not None:
        ask_to_move(appointment.meeting_id, starts_at=appointment.starts_at, ends_at=appointment.ends_at)
    note(appointment, _("Moved from %(before)s to %(when)s.") % words, actor=actor, through=wish.through)
    tell_everybody(appointment, NotificationKind.MOVED)
    return appointment


def _check_movable(appointment: Appointment) -> None:
    if appointment.status != Status.CONFIRMED:
        raise BookingRefused(
            _("An appointment that is “%(status)s” cannot be moved.")
            % {"status": appointment.get_status_display()}
        )


def _set_status(appointment: Appointment, status: Status) -> None:
    """The one place that changes a status, by the table above."""
    if status not in ALLOWED[appointment.status]:
        raise BookingRefused(
            _("An appointment that is “%(before)s” cannot become “%(after)s”.")
            % {"before": appointment.get_status_display(), "after": status.label}
        )
    appointment.status = status
    appointment.save(update_fields=["status"])

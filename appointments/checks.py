"""What must hold before an appointment is booked or moved; each function raises BookingRefused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.availability import (
    GRID_SECONDS,
    Lengths,
    earliest_start,
    latest_start,
    load_calendar,
    next_free,
)
from appointments.models import Appointment, BookedThrough, Client, Status
from appointments.refusals import BookingRefused, TimeTaken
from integrations.hosting import Hosting
from services.models import MeetingMethod, OfferedTo, Service
from staff.models import Location, Organization, StaffMember

#: What belongs to an organisation and is named in a booking.
Owned = Service | StaffMember | Client | Location


@dataclass(frozen=True)
class TimeWish:
    """A time that somebody wants: whose, when, how long, and under whose rules."""

    service: Service
    staff: StaffMember
    starts_at: datetime
    lengths: Lengths
    through: BookedThrough
    location: Location | None = None
    outside_hours: bool = False
    # The appointment that is being moved: its own time is free for it.
    ignoring: Appointment | None = None

    @property
    def by_client(self) -> bool:
        """Clients keep notice, horizon, hours and the grid; staff may decide otherwise."""
        return self.through == BookedThrough.CLIENT_VIEW

    @property
    def start(self) -> int:
        return int(self.starts_at.timestamp())

    @property
    def when(self) -> str:
        """The time in words, by the clock of whoever asks: in the zone that their page is in."""
        return date_format(timezone.localtime(self.starts_at), "D j M Y, H:i")


def set_times(appointment: Appointment, wish: TimeWish) -> None:
    """The appointment takes place when the wish says; not saved."""
    lengths = wish.lengths
    appointment.starts_at = wish.starts_at
    appointment.ends_at = wish.starts_at + timedelta(seconds=lengths.duration)
    appointment.busy_from = appointment.starts_at - timedelta(seconds=lengths.before)
    appointment.busy_to = appointment.ends_at + timedelta(seconds=lengths.after)


def clock(moment: datetime, staff: StaffMember) -> str:
    """The moment as the staff member's clock shows it, with the zone, as others read it in theirs."""
    return date_format(timezone.localtime(moment, staff.zone), "D j M Y, H:i T")


def check_same_organization(organization: Organization, rows: Mapping[str, Owned | None]) -> None:
    """Nobody books into, or with anything of, another organisation. `rows` are by form field."""
    for field, row in rows.items():
        if row is not None and row.organization_id != organization.pk:
            raise BookingRefused(_("That choice is not available here. Choose another one."), field)


def check_service(service: Service, staff: StaffMember, through: BookedThrough) -> None:
    """The service is offered, and by this person."""
    if not service.active or (through == BookedThrough.CLIENT_VIEW and not service.public):
        raise BookingRefused(
            _("“%(service)s” cannot be booked at the moment. Choose another service.")
            % {"service": service.name},
            "service",
        )
    check_active(staff)
    check_assigned(service, staff)


def check_assigned(service: Service, staff: StaffMember) -> None:
    """The service is provided by this person."""
    if not service.assignments.filter(staff=staff).exists():
        raise BookingRefused(
            _("%(name)s does not provide “%(service)s”. Choose somebody who does, or another service.")
            % {"name": staff.name, "service": service.name},
            "staff",
        )


def check_active(staff: StaffMember) -> None:
    """Whoever left takes no more appointments, neither new ones nor moved ones."""
    if not staff.is_active:
        raise BookingRefused(
            _("%(name)s no longer takes appointments. Choose somebody else.") % {"name": staff.name}, "staff"
        )


def check_method(service: Service, method: int, through: BookedThrough) -> None:
    """The service is offered this way to whoever books."""
    offers = service.meeting_methods.filter(method=method)
    if through == BookedThrough.CLIENT_VIEW:
        offers = offers.filter(offered_to=OfferedTo.STAFF_AND_CLIENTS)
    if not offers.exists():
        raise BookingRefused(
            _("“%(service)s” is not offered this way. Choose another meeting method.")
            % {"service": service.name},
            "method",
        )


def check_reachable(client: Client, method: int) -> None:
    """The client can be called or sent a link where the meeting method needs it."""
    if method == MeetingMethod.PHONE and not client.phone:
        raise BookingRefused(
            _("%(name)s has no phone number to call. Add one, or choose another meeting method.")
            % {"name": client.name},
            "client",
        )
    if method == MeetingMethod.VIDEO and not client.email:
        raise BookingRefused(
            _("%(name)s has no email to send the link to. Add one, or choose another meeting method.")
            % {"name": client.name},
            "client",
        )


def check_can_host(hosting: Hosting) -> None:
    """New video appointments are booked only with people who can host one."""
    if not hosting.can_host:
        raise BookingRefused(hosting.problem, "staff")


def check_time(wish: TimeWish) -> None:
    """The time is ahead, allowed, and free. Raises TimeTaken where somebody else has it."""
    _check_allowed(wish)
    calendar = load_calendar(
        wish.staff,
        wish.start,
        wish.start + wish.lengths.duration,
        location=wish.location,
        ignoring=wish.ignoring,
    )
    words = {"name": wish.staff.name, "when": wish.when}
    if calendar.is_taken(wish.start, wish.lengths):
        raise TimeTaken(_("%(name)s is not free at %(when)s. Choose another time.") % words)
    if calendar.is_off(wish.start, wish.lengths):
        raise BookingRefused(_("%(name)s is off at %(when)s. Choose another time.") % words, "starts_at")
    if not calendar.is_open(wish.start, wish.lengths) and (wish.by_client or not wish.outside_hours):
        raise BookingRefused(
            _("%(when)s is outside the working hours of %(name)s. Choose another time.") % words, "starts_at"
        )


def _check_allowed(wish: TimeWish) -> None:
    now = timezone.now()
    if wish.starts_at < now:
        raise BookingRefused(_("That time has passed. Choose a later one."), "starts_at")
    if not wish.by_client:
        return
    if wish.start < earliest_start(wish.service, now, for_clients=True):
        raise BookingRefused(_("That is too soon to be booked. Choose a later time."), "starts_at")
    if wish.start > latest_start(wish.service, now, for_clients=True):
        raise BookingRefused(
            _("That is too far ahead. Choose a time in the next %(days)s days.")
            % {"days": wish.service.booking_horizon_days},
            "starts_at",
        )
    if wish.start % GRID_SECONDS:
        raise BookingRefused(_("Choose one of the times that are offered."), "starts_at")


def check_changeable(appointment: Appointment, through: BookedThrough) -> None:
    """The appointment still lies ahead: a client changes it until it starts, staff until it is over."""
    if appointment.status == Status.CANCELLED:
        raise BookingRefused(_("This appointment was cancelled already. Book a new one."))
    by_client = through == BookedThrough.CLIENT_VIEW
    if (appointment.starts_at if by_client else appointment.ends_at) <= timezone.now():
        raise BookingRefused(
            _("This appointment has begun. Please call us.")
            if by_client
            else _("This appointment is over. Book a new one.")
        )


def taken(wish: TimeWish) -> TimeTaken:
    """The answer when the time went to somebody else, with the next times that are free."""
    free = next_free(
        wish.service,
        wish.staff,
        wish.starts_at,
        lengths=wish.lengths,
        for_clients=wish.by_client,
        location=wish.location,
        ignoring=wish.ignoring,
    )
    sentence = _("%(name)s is not free at %(when)s. Choose another time.")
    return TimeTaken(sentence % {"name": wish.staff.name, "when": wish.when}, free)

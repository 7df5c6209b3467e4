"""What must hold before an appointment is booked or moved; each function raises BookingError with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations, load_calendar
from appointments.availability.slots import GRID_SECONDS, earliest_start, latest_start, next_free
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.models import Appointment, BookedThrough, Client, Status
from integrations.hosting.eligibility import Hosting
from services.models import MeetingMethod, OfferedTo, Service
from staff.models import Location, Organization, StaffMember

#: What belongs to an organisation and is named in a booking.
Owned = Service | StaffMember | Client | Location


@dataclass(frozen=True)
class SlotRequest:
    """A time that somebody wants: whose, when, how long, and under whose rules."""

    service: Service
    staff: StaffMember
    starts_at: datetime
    lengths: Durations
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
    def may_be_outside_hours(self) -> bool:
        """Staff may decide so; clients never."""
        return self.outside_hours and not self.by_client

    @property
    def start(self) -> int:
        return int(self.starts_at.timestamp())

    @property
    def when(self) -> str:
        """The time in words, by the clock of whoever asks: in the zone that their page is in."""
        return date_format(timezone.localtime(self.starts_at), "D j M Y, H:i")


@dataclass(frozen=True)
class Provision:
    """A staff member whose row is locked, and whether and to whom they offer a service in some meeting method."""

    staff: StaffMember
    provides: bool
    #: None where the service is not offered this way.
    offered_to: str | None


def set_times(appointment: Appointment, wish: SlotRequest) -> None:
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
            raise BookingError(_("That choice is not available here. Choose another one."), field)


def check_offered(wish: SlotRequest, provision: Provision) -> None:
    """The service is offered at all, by this person, and this way to whoever books."""
    if not wish.service.active or (wish.by_client and not wish.service.public):
        raise BookingError(
            _("“%(service)s” cannot be booked at the moment. Choose another service.")
            % {"service": wish.service.name},
            "service",
        )
    check_active(wish.staff)
    if not provision.provides:
        raise _not_provided(wish.service, wish.staff)
    if not _is_offered(provision.offered_to, by_client=wish.by_client):
        raise _not_this_way(wish.service)


def check_assigned(service: Service, staff: StaffMember) -> None:
    """The service is provided by this person."""
    if not service.assignments.filter(staff=staff).exists():
        raise _not_provided(service, staff)


def check_active(staff: StaffMember) -> None:
    """Whoever left takes no more appointments, neither new ones nor moved ones."""
    if not staff.is_active:
        raise BookingError(
            _("%(name)s no longer takes appointments. Choose somebody else.") % {"name": staff.name}, "staff"
        )


def check_method(service: Service, method: int, through: BookedThrough) -> None:
    """The service is offered this way to whoever books."""
    offer = service.meeting_methods.filter(method=method).values_list("offered_to", flat=True).first()
    if not _is_offered(offer, by_client=through == BookedThrough.CLIENT_VIEW):
        raise _not_this_way(service)


def _is_offered(offered_to: str | None, *, by_client: bool) -> bool:
    return offered_to == OfferedTo.STAFF_AND_CLIENTS if by_client else offered_to is not None


def _not_provided(service: Service, staff: StaffMember) -> BookingError:
    sentence = _("%(name)s does not provide “%(service)s”. Choose somebody who does, or another service.")
    return BookingError(sentence % {"name": staff.name, "service": service.name}, "staff")


def _not_this_way(service: Service) -> BookingError:
    sentence = _("“%(service)s” is not offered this way. Choose another meeting method.")
    return BookingError(sentence % {"service": service.name}, "method")


def check_reachable(client: Client, method: int) -> None:
    """The client can be called or sent a link where the meeting method needs it."""
    if method == MeetingMethod.PHONE and not client.phone:
        raise BookingError(
            _("%(name)s has no phone number to call. Add one, or choose another meeting method.")
            % {"name": client.name},
            "client",
        )
    if method == MeetingMethod.VIDEO and not client.email:
        raise BookingError(
            _("%(name)s has no email to send the link to. Add one, or choose another meeting method.")
            % {"name": client.name},
            "client",
        )


def check_can_host(hosting: Hosting) -> None:
    """New video appointments are booked only with people who can host one."""
    if not hosting.can_host:
        raise BookingError(hosting.problem, "staff")


def check_time(wish: SlotRequest) -> None:
    """The time is ahead, allowed, and free. Raises TimeTaken where somebody else has it."""
    check_allowed(wish)
    calendar = load_calendar(
        wish.staff,
        wish.start,
        wish.start + wish.lengths.duration,
        location=wish.location,
        ignoring=wish.ignoring,
    )
    if calendar.is_taken(wish.start, wish.lengths):
        raise TimeTaken(_in_words(wish, _("%(name)s is not free at %(when)s. Choose another time.")))
    if calendar.is_off(wish.start, wish.lengths):
        sentence = _("%(name)s is off at %(when)s. Choose another time.")
        raise BookingError(_in_words(wish, sentence), "starts_at")
    if not (wish.may_be_outside_hours or calendar.is_open(wish.start, wish.lengths)):
        sentence = _("%(when)s is outside the working hours of %(name)s. Choose another time.")
        raise BookingError(_in_words(wish, sentence), "starts_at")


def _in_words(wish: SlotRequest, sentence: str) -> str:
    return sentence % {"name": wish.staff.name, "when": wish.when}


def check_allowed(wish: SlotRequest) -> None:
    """The time is ahead and, for clients, within notice and horizon and on the grid."""
    now = timezone.now()
    if wish.starts_at < now:
        raise BookingError(_("That time has passed. Choose a later one."), "starts_at")
    if not wish.by_client:
        return
    if wish.start < earliest_start(wish.service, now, for_clients=True):
        raise BookingError(_("That is too soon to be booked. Choose a later time."), "starts_at")
    if wish.start > latest_start(wish.service, now, for_clients=True):
        raise BookingError(
            _("That is too far ahead. Choose a time in the next %(days)s days.")
            % {"days": wish.service.booking_horizon_days},
            "starts_at",
        )
    if wish.start % GRID_SECONDS:
        raise BookingError(_("Choose one of the times that are offered."), "starts_at")


def check_changeable(appointment: Appointment, through: BookedThrough) -> None:
    """The appointment still lies ahead: a client changes it until it starts, staff until it is over."""
    if appointment.status == Status.CANCELLED:
        raise BookingError(_("This appointment was cancelled already. Book a new one."))
    by_client = through == BookedThrough.CLIENT_VIEW
    if (appointment.starts_at if by_client else appointment.ends_at) <= timezone.now():
        raise BookingError(
            _("This appointment has begun. Please call us.")
            if by_client
            else _("This appointment is over. Book a new one.")
        )


def taken(wish: SlotRequest) -> TimeTaken:
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
    return TimeTaken(_in_words(wish, _("%(name)s is not free at %(when)s. Choose another time.")), free)

"""Rules for booking and moving appointments. Each check raises BookingError with a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.availability.calendars import Calendar, Durations, load_calendar
from appointments.availability.next_free import next_free
from appointments.availability.slots import earliest_start, latest_start
from appointments.availability.start_times import is_start_time, start_zone
from appointments.booking_rules.closing_reason import closing_reason
from appointments.booking_rules.errors import BookingError, StaffUnavailable, TimeTaken, TimeUnavailable
from appointments.deadlines import deadlines_of
from appointments.models import Appointment, BookedThrough, Client, Status
from appointments.time_zones import day_and_time
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service, ServiceAssignment
from staff.models import Location, Organization, StaffMember

#: Rows of an organisation that a booking names.
Owned = Service | StaffMember | Client | Location


@dataclass(frozen=True)
class SlotRequest:
    """A requested slot: staff member, start and durations, and the channel whose rules apply."""

    service: Service
    staff: StaffMember
    starts_at: datetime
    durations: Durations
    through: BookedThrough
    method: int = MeetingMethod.AT_LOCATION
    location: Location | None = None
    outside_hours: bool = False
    # The appointment that moves: its own time counts as free.
    ignoring: Appointment | None = None

    @property
    def by_client(self) -> bool:
        """Return whether the rules for clients apply: notice, horizon, working hours and start times."""
        return self.through == BookedThrough.CLIENT_VIEW

    @property
    def may_be_outside_hours(self) -> bool:
        """Return whether the appointment may lie outside working hours; never for clients."""
        return self.outside_hours and not self.by_client

    @property
    def start(self) -> int:
        """The start in unix seconds."""
        return int(self.starts_at.timestamp())

    @property
    def when(self) -> str:
        """The start as text, in the current time zone."""
        return day_and_time(timezone.localtime(self.starts_at), "D j M Y")

    @property
    def params(self) -> dict[str, str]:
        """Staff member and start, for sentences."""
        return {"name": self.staff.name, "when": self.when}


def set_times(appointment: Appointment, request: SlotRequest) -> None:
    """Set the appointment's times to the requested slot, without saving."""
    durations = request.durations
    appointment.starts_at = request.starts_at
    appointment.ends_at = request.starts_at + timedelta(seconds=durations.duration)
    appointment.busy_from = appointment.starts_at - timedelta(seconds=durations.before)
    appointment.busy_to = appointment.ends_at + timedelta(seconds=durations.after)
    # The requested slot was checked: it lies in the hours, or outside them on purpose.
    appointment.outside_hours_since, appointment.left_cause = None, ""


def check_same_organization(organization: Organization, rows: Mapping[str, Owned | None]) -> None:
    """Check that every row belongs to the organisation. `rows` are by form field."""
    for field, row in rows.items():
        if row is not None and row.organization_id != organization.pk:
            raise BookingError(_("That choice is not available here. Choose another one."), field)


def check_offered(request: SlotRequest, method: int) -> None:
    """Check that the service can be booked with this staff member and meeting method."""
    if not request.service.active or (request.by_client and not request.service.public):
        raise BookingError(
            _("“%(service)s” cannot be booked at the moment. Choose another service.")
            % {"service": request.service.name},
            "service",
        )
    check_active(request.staff)
    offers = _offers(request.service, method, request.through)
    if not offers.filter(_assigned(request, method)).exists():
        # Only a refused booking takes the queries for the reason.
        check_assigned(request.service, request.staff)
        check_method(request.service, method, request.through)
        raise StaffUnavailable(
            _("%(name)s does not provide “%(service)s” at this location. Choose someone who does, or another location.")
            % {"name": request.staff.name, "service": request.service.name}
        )


def _assigned(request: SlotRequest, method: int) -> Q:
    """Return the condition that the staff member provides the service, and does so at the location."""
    assigned = Q(service__assignments__staff=request.staff)
    if method != MeetingMethod.AT_LOCATION:
        return assigned
    place = request.location or request.staff.location
    anywhere = Q(service__assignments__locations=None)
    return assigned & (anywhere | Q(service__assignments__locations=place) if place else anywhere)


def check_assigned(service: Service, staff: StaffMember) -> None:
    """Check that the staff member provides the service."""
    if not ServiceAssignment.objects.filter(service=service, staff=staff).exists():
        sentence = _("%(name)s does not provide “%(service)s”. Choose someone who does, or another service.")
        raise StaffUnavailable(sentence % {"name": staff.name, "service": service.name})


def check_active(staff: StaffMember) -> None:
    """Check that the staff member is active, for new and moved appointments."""
    if not staff.is_active:
        raise StaffUnavailable(_("%(name)s no longer takes appointments. Choose someone else.") % {"name": staff.name})


def check_method(service: Service, method: int, through: BookedThrough) -> None:
    """Check that the service is offered with this meeting method through this channel."""
    if not _offers(service, method, through).exists():
        raise _method_not_offered(service)


def _offers(service: Service, method: int, through: BookedThrough) -> QuerySet[MeetingMethodOffer]:
    offers = MeetingMethodOffer.objects.filter(service=service, method=method)
    by_client = through == BookedThrough.CLIENT_VIEW
    return offers.filter(offered_to=OfferedTo.STAFF_AND_CLIENTS) if by_client else offers


def _method_not_offered(service: Service) -> BookingError:
    sentence = _("“%(service)s” is not offered this way. Choose another meeting method.")
    return BookingError(sentence % {"service": service.name}, "method")


def check_location(location: Location) -> None:
    """Check that the location takes new appointments. Reads the row again: an admin may have closed it meanwhile."""
    if not Location.objects.active().filter(pk=location.pk).exists():
        sentence = _("%(place)s takes no new appointments. Choose another location or meeting method.")
        raise BookingError(sentence % {"place": location.name}, "location")


def check_reachable(client: Client, method: int) -> None:
    """Check that the client has the phone number or email that the meeting method needs."""
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


def check_time(request: SlotRequest) -> None:
    """Check that the time is allowed and free. Raises TimeTaken if another appointment has it."""
    check_allowed(request)
    people_with_start(request, [request.staff])
    calendar = load_calendar(
        request.staff,
        request.start,
        request.start + request.durations.duration,
        method=request.method,
        location=request.location,
        ignoring=request.ignoring,
    )
    if calendar.is_taken(request.start, request.durations):
        raise TimeTaken(taken_sentence(request))
    if calendar.is_off(request.start, request.durations):
        sentence = _("%(name)s is off at %(when)s. Choose another time.")
        raise TimeUnavailable(sentence % request.params)
    _check_open(request, calendar)


def check_hours(request: SlotRequest) -> None:
    """Check that the staff member and the location are open, whether or not the time is free."""
    end = request.start + request.durations.duration
    calendar = load_calendar(
        request.staff, request.start, end, method=request.method, location=request.location, ignoring=request.ignoring
    )
    _check_open(request, calendar)


def _check_open(request: SlotRequest, calendar: Calendar) -> None:
    if not (request.may_be_outside_hours or calendar.is_open(request.start, request.durations)):
        if reason := _closing_reason(request):
            raise TimeUnavailable(reason)
        sentence = _("%(when)s is outside the working hours of %(name)s. Choose another time.")
        raise TimeUnavailable(sentence % request.params)


def _closing_reason(request: SlotRequest) -> str:
    duration = timedelta(seconds=request.durations.duration)
    return closing_reason(request.staff, request.starts_at, duration, request.method, request.location)


def people_with_start(request: SlotRequest, people: Sequence[StaffMember]) -> Sequence[StaffMember]:
    """Return the people on whose clock the service offers the start. Raises TimeUnavailable if there are none.

    Staff may choose any start, so then all people are returned.
    """
    if not request.by_client:
        return people
    found = [
        member
        for member in people
        if is_start_time(request.start, request.service, start_zone(member, request.location))
    ]
    if not found:
        raise TimeUnavailable(_("Choose one of the times that are offered."))
    return found


def taken_sentence(request: SlotRequest) -> str:
    """Return why the time can't be booked, without saying what else the person or the client does then."""
    return _("%(name)s is not free at %(when)s. Choose another time.") % request.params


def check_allowed(request: SlotRequest) -> None:
    """Check that the time is in the future and, for clients, within notice and horizon."""
    now = timezone.now()
    if request.starts_at < now:
        raise TimeUnavailable(_("That time has passed. Choose a later one."))
    if not request.by_client:
        return
    if request.start < earliest_start(request.service, now, for_clients=True):
        raise TimeUnavailable(_("That is too soon to be booked. Choose a later time."))
    if request.start > latest_start(request.service, now, for_clients=True):
        raise TimeUnavailable(
            _("That is too far ahead. Choose a time in the next %(days)s days.")
            % {"days": request.service.booking_horizon_days}
        )


def check_changeable(appointment: Appointment, through: BookedThrough) -> None:
    """Check that the appointment can still change: for clients until it starts, for staff until it ends."""
    if appointment.status == Status.CANCELLED:
        raise BookingError(_("This appointment was cancelled already. Book a new one."))
    by_client = through == BookedThrough.CLIENT_VIEW
    if (appointment.starts_at if by_client else appointment.ends_at) <= timezone.now():
        raise BookingError(
            _("This appointment has begun. Please call us.")
            if by_client
            else _("This appointment is over. Book a new one.")
        )


def check_client_may_move(appointment: Appointment, through: BookedThrough) -> None:
    """Check that the service still lets the client move; staff always may."""
    if through == BookedThrough.CLIENT_VIEW and not deadlines_of(appointment).can_move:
        raise BookingError(_("It is too late to move this appointment online. Please call us."))


def check_client_may_cancel(appointment: Appointment, through: BookedThrough) -> None:
    """Check that the service still lets the client cancel; staff always may."""
    if through == BookedThrough.CLIENT_VIEW and not deadlines_of(appointment).can_cancel:
        raise BookingError(_("It is too late to cancel this appointment online. Please call us."))


def time_taken(request: SlotRequest) -> TimeTaken:
    """Return the error for a taken time, with the staff member's next free times."""
    free = next_free(
        request.service,
        request.staff,
        request.starts_at,
        durations=request.durations,
        for_clients=request.by_client,
        method=request.method,
        location=request.location,
        ignoring=request.ignoring,
    )
    return TimeTaken(taken_sentence(request), free)

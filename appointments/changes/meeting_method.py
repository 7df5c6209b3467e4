"""Change the meeting method of an appointment; its video meeting is requested or cancelled accordingly."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations
from appointments.booking_rules.errors import BookingError, TimeUnavailable
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.validation import (
    SlotRequest,
    check_changeable,
    check_hours,
    check_location,
    check_method,
    check_reachable,
    check_same_organization,
)
from appointments.changes.move import is_movable
from appointments.models import Appointment, AppointmentEventKind, BookedThrough, NotificationKind
from appointments.notifications.before_after import snapshot
from appointments.notifications.outbox import notify_all
from appointments.timeline import Fact, record_event
from appointments.video.meeting import VIDEO_FIELDS, arrange_video, retire_video
from services.models import MeetingMethod
from staff.models import Location, StaffMember


def change_method(
    appointment: Appointment,
    *,
    method: int,
    actor: StaffMember | None,
    through: str,
    location: Location | None = None,
    outside_hours: bool = False,
    version: int | None = None,
) -> Appointment:
    """Change the meeting method at the same time; return the appointment's current state.

    `location` defaults to the appointment's or else the staff member's location. A change to the present method and
    location changes nothing and notifies no one. Raises BookingError, also if the staff member can't host a video call.
    Unless `outside_hours`, an appointment in person must lie in the hours of the staff member at an open location.
    """
    check_same_organization(appointment.organization, {"location": location, "": actor})
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        place = place_of(current, method, location)
        if (current.method, current.location) == (method, place):
            return current
        check_version(current, version)
        _check_possible(current, method, BookedThrough(through))
        if method == MeetingMethod.AT_LOCATION and place is not None and place != current.location:
            check_location(place)
        _check_hours(current, method, place, BookedThrough(through), outside_hours)
        return _save_method(current, method, place, actor, through)


def _check_possible(appointment: Appointment, method: int, through: BookedThrough) -> None:
    if not is_movable(appointment):
        raise BookingError(
            _("The meeting method of an appointment that is “%(status)s” cannot be changed.")
            % {"status": appointment.get_status_display()}
        )
    check_method(appointment.service, method, through)
    check_reachable(appointment.client, method)


def _check_hours(
    appointment: Appointment, method: int, place: Location | None, through: BookedThrough, outside_hours: bool
) -> None:
    """Check the hours at the place of an appointment in person. Forget the mark of one that is in the hours again."""
    request = SlotRequest(
        service=appointment.service,
        staff=appointment.staff,
        starts_at=appointment.starts_at,
        durations=Durations.of_appointment(appointment),
        through=through,
        method=method,
        location=place,
        outside_hours=outside_hours,
        ignoring=appointment,
    )
    if method == MeetingMethod.AT_LOCATION:
        check_hours(request)
        appointment.outside_hours_since = None
    elif appointment.outside_hours_since is not None:
        with suppress(TimeUnavailable):
            check_hours(request)
            appointment.outside_hours_since = None


def place_of(appointment: Appointment, method: int, location: Location | None) -> Location | None:
    """Return where the appointment would take place with this method, if `location` is chosen."""
    if method != MeetingMethod.AT_LOCATION:
        return location or appointment.location
    return location or appointment.location or appointment.staff.location


def _save_method(
    appointment: Appointment, method: int, place: Location | None, actor: StaffMember | None, through: str
) -> Appointment:
    was_video = appointment.method == MeetingMethod.VIDEO
    fact, before = _method_fact(appointment, method, place), snapshot(appointment)
    appointment.method, appointment.location, appointment.left_cause = method, place, ""
    if method == MeetingMethod.VIDEO and not was_video:
        arrange_video(appointment)
    elif was_video and method != MeetingMethod.VIDEO:
        retire_video(appointment)
    if not appointment.moved_by_zone_rules:
        appointment.anchor()
    appointment.version += 1
    anchor = ["local_start", "local_zone"]
    changed = ["method", "location", "outside_hours_since", "left_cause", "version", *anchor]
    appointment.save(update_fields=[*changed, *VIDEO_FIELDS])
    record_event(appointment, fact, actor=actor, through=through)
    notify_all(appointment, NotificationKind.CHANGED, before=before)
    return appointment


def _method_fact(appointment: Appointment, method: int, place: Location | None) -> Fact:
    if appointment.method == method:
        return Fact(AppointmentEventKind.LOCATION_CHANGED, {"name": place.name if place else ""})
    methods = {"before": int(appointment.method), "method": int(method)}
    return Fact(AppointmentEventKind.METHOD_CHANGED, methods)

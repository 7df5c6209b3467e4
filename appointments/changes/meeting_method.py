"""Change the meeting method of an appointment; its video meeting is requested or cancelled accordingly."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.validation import (
    check_changeable,
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
    version: int | None = None,
) -> Appointment:
    """Change the meeting method at the same time; return the appointment's current state.

    `location` defaults to the appointment's or else the staff member's location. A change to the present method and
    location changes nothing and notifies no one. Raises BookingError, also if the staff member can't host a video call.
    """
    check_same_organization(appointment.organization, {"location": location, "": actor})
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        place = _place(current, method, location)
        if (current.method, current.location) == (method, place):
            return current
        check_version(current, version)
        _check_possible(current, method, BookedThrough(through))
        if method == MeetingMethod.AT_LOCATION and place is not None and place != current.location:
            check_location(place)
        return _save_method(current, method, place, actor, through)


def _check_possible(appointment: Appointment, method: int, through: BookedThrough) -> None:
    if not is_movable(appointment):
        raise BookingError(
            _("The meeting method of an appointment that is “%(status)s” cannot be changed.")
            % {"status": appointment.get_status_display()}
        )
    check_method(appointment.service, method, through)
    check_reachable(appointment.client, method)


def _place(appointment: Appointment, method: int, location: Location | None) -> Location | None:
    if method != MeetingMethod.AT_LOCATION:
        return location or appointment.location
    return location or appointment.location or appointment.staff.location


def _save_method(
    appointment: Appointment, method: int, place: Location | None, actor: StaffMember | None, through: str
) -> Appointment:
    was_video = appointment.method == MeetingMethod.VIDEO
    fact, before = _method_fact(appointment, method, place), snapshot(appointment)
    appointment.method, appointment.location = method, place
    if method == MeetingMethod.VIDEO and not was_video:
        arrange_video(appointment)
    elif was_video and method != MeetingMethod.VIDEO:
        retire_video(appointment)
    if not appointment.moved_by_zone_rules:
        appointment.anchor()
    appointment.version += 1
    anchor = ["local_start", "local_zone"]
    appointment.save(update_fields=["method", "location", "version", *anchor, *VIDEO_FIELDS])
    record_event(appointment, fact, actor=actor, through=through)
    notify_all(appointment, NotificationKind.CHANGED, before=before)
    return appointment


def _method_fact(appointment: Appointment, method: int, place: Location | None) -> Fact:
    if appointment.method == method:
        return Fact(AppointmentEventKind.LOCATION_CHANGED, {"name": place.name if place else ""})
    methods = {"before": int(appointment.method), "method": int(method)}
    return Fact(AppointmentEventKind.METHOD_CHANGED, methods)

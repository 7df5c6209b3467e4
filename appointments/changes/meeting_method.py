"""Another meeting method for an appointment: to and from a video call, its meeting is made or let go."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.validation import (
    check_changeable,
    check_method,
    check_reachable,
    check_same_organization,
)
from appointments.changes.move import is_movable
from appointments.models import Appointment, BookedThrough, NotificationKind
from appointments.notifications.before_after import snapshot
from appointments.notifications.outbox import notify_all
from appointments.timeline import note
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
    """The appointment takes place another way, at the same time; return it as it is now.

    `location` is where it takes place at a location; without one, where the staff member works. What it is already
    changes nothing and tells nobody. Raises BookingError, with the reason why somebody cannot host a video call.
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
        return _change(current, method, place, actor, through)


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


def _change(
    appointment: Appointment, method: int, place: Location | None, actor: StaffMember | None, through: str
) -> Appointment:
    was_video = appointment.method == MeetingMethod.VIDEO
    text, before = _words(appointment, method, place), snapshot(appointment)
    appointment.method, appointment.location = method, place
    if method == MeetingMethod.VIDEO and not was_video:
        arrange_video(appointment)
    elif was_video and method != MeetingMethod.VIDEO:
        retire_video(appointment)
    appointment.version += 1
    appointment.save(update_fields=["method", "location", "version", *VIDEO_FIELDS])
    note(appointment, text, actor=actor, through=through)
    notify_all(appointment, NotificationKind.CHANGED, before=before)
    return appointment


def _words(appointment: Appointment, method: int, place: Location | None) -> str:
    """What is about to happen, for the timeline."""
    if appointment.method == method:
        return _("Another location: %(name)s.") % {"name": place.name if place else ""}
    words = {"before": appointment.get_method_display(), "method": MeetingMethod(method).label}
    return _("Meeting method changed from %(before)s to %(method)s.") % words

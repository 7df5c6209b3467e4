"""The addresses and numbers that people are given, and what the button to join is called.

Addresses are absolute from BASE_URL.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models import Appointment
from integrations.platforms.base import platform_of


def join_url(appointment: Appointment) -> str:
    """Where anybody joins: may be forwarded, opens nothing but the meeting, follows it when it moves."""
    return _absolute(reverse("join", args=[appointment.join_token]))


def manage_url(appointment: Appointment) -> str:
    """Where the client moves or cancels without signing in: belongs in the body of the client's mail only."""
    return _absolute(reverse("manage-appointment", args=[appointment.manage_token]))


def staff_url(appointment: Appointment) -> str:
    """The appointment's page for staff, behind the sign-in."""
    return _absolute(reverse("appointment", args=[appointment.pk]))


def book_again_url(appointment: Appointment) -> str:
    """Where the client books the same service once more; "" where clients cannot book it."""
    if not (appointment.service.active and appointment.service.public):
        return ""
    query = {"service": appointment.service_id}
    return _absolute(reverse("book", args=[appointment.organization.slug], query=query))


def has_video_link(appointment: Appointment) -> bool:
    """Whether there is, or will be, something to join."""
    return appointment.meeting is not None or bool(appointment.personal_meeting_url)


def join_label(appointment: Appointment) -> str:
    """The words on the button, such as "Join Microsoft Teams meeting"; a personal link may lead anywhere."""
    if appointment.meeting is None:
        return _("Join video call")
    platform = platform_of(appointment.meeting.connection)
    return _("Join %(platform)s meeting") % {"platform": platform.label}


def personal_link_words(appointment: Appointment) -> str:
    """What a personal link is called wherever it shows, such as "Sam Okafor’s personal link"; "" for any other link."""
    if not appointment.personal_meeting_url:
        return ""
    return _("%(name)s’s personal link") % {"name": appointment.staff.name}


def phone_to_call(appointment: Appointment) -> str:
    """The number that the client calls: of the place, else of where the staff member works, else of the house."""
    places = (appointment.location, appointment.staff.location)
    own = next((place.phone for place in places if place is not None and place.phone), "")
    return own or appointment.organization.phone


def _absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"

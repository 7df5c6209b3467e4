"""Absolute URLs of an appointment's pages, built from BASE_URL."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.urls import reverse

from appointments.models import Appointment, Audience

#: Time after an appointment's end in which its private links work.
PRIVATE_LINKS_LAST: Final = timedelta(days=30)


def join_url(appointment: Appointment) -> str:
    """Return the URL of the client's join page. It may be forwarded: it opens only the meeting, even after a move."""
    return _absolute(reverse("join", args=[appointment.join_token]))


def staff_join_url(appointment: Appointment) -> str:
    """Return the URL of the staff member's join page. It stays when the client's links change."""
    return _absolute(reverse("join", args=[appointment.staff_join_token]))


def join_url_for(appointment: Appointment, audience: str) -> str:
    """Return the reader's own join page; "" for the previous staff member, who no longer takes part."""
    match audience:
        case Audience.CLIENT:
            return join_url(appointment)
        case Audience.STAFF:
            return staff_join_url(appointment)
    return ""


def manage_url(appointment: Appointment) -> str:
    """Return the URL where the client moves or cancels without signing in. It ends after PRIVATE_LINKS_LAST.

    Put it in the body of the client's email only, never in calendar files, which get forwarded.
    """
    return _absolute(reverse("manage-appointment", args=[appointment.manage_token]))


def move_url(appointment: Appointment) -> str:
    """Return the URL where the client chooses another time; see `manage_url`."""
    return _absolute(reverse("manage-move", args=[appointment.manage_token]))


def cancel_url(appointment: Appointment) -> str:
    """Return the URL where the client confirms a cancellation; see `manage_url`."""
    return _absolute(reverse("manage-cancel", args=[appointment.manage_token]))


def calendar_file_url(appointment: Appointment) -> str:
    """Return the URL of the client's calendar file; see `manage_url`."""
    return _absolute(reverse("manage-calendar", args=[appointment.manage_token]))


def staff_url(appointment: Appointment) -> str:
    """Return the URL of the appointment's page for staff."""
    return staff_url_of(appointment.pk)


def staff_url_of(pk: int) -> str:
    """Return the URL of the page for staff about the appointment with this primary key."""
    return _absolute(reverse("appointment", args=[pk]))


def book_again_url(appointment: Appointment) -> str:
    """Return the URL where the client books the same service again; "" if clients can't book it."""
    if not (appointment.service.active and appointment.service.public):
        return ""
    query = {"service": appointment.service_id}
    return _absolute(reverse("book", args=[appointment.organization.slug], query=query))


def _absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"

"""Absolute addresses, built from BASE_URL, of an appointment's pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from appointments.models import Appointment


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


def _absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"

"""Where an admin finds what a meeting was made for."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models import Appointment
from integrations.hooks import MeetingPage


def appointment_pages(meeting_ids: Collection[UUID]) -> dict[UUID, MeetingPage]:
    """The appointments that have these meetings; a meeting that was replaced has none."""
    found = Appointment.objects.filter(meeting__in=meeting_ids).select_related("service", "client")
    return {each.meeting_id: _page(each) for each in found if each.meeting_id is not None}


def _page(appointment: Appointment) -> MeetingPage:
    words = {"service": appointment.service.name, "client": appointment.client.name}
    return MeetingPage(reverse("appointment", args=[appointment.pk]), _("%(service)s for %(client)s") % words)

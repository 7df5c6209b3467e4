"""Where an admin finds what a meeting was made for."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.urls import reverse

from appointments.models import Appointment


def appointment_pages(meeting_ids: Collection[UUID]) -> dict[UUID, str]:
    """The addresses of the appointments that have these meetings; a meeting that was replaced has none."""
    found = Appointment.objects.filter(meeting__in=meeting_ids).values_list("meeting", "pk")
    return {meeting_id: reverse("appointment", args=[pk]) for meeting_id, pk in found}

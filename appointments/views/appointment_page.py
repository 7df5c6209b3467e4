"""Access and layout that the pages of one appointment share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from appointments.absolute_urls import join_url, staff_join_url
from appointments.attention.conditions import with_cause
from appointments.labels import join_label
from appointments.models import Appointment
from appointments.video.link_state import link_of
from appointments.views.responses import is_htmx
from integrations.platforms.registry import platform_of
from staff.access import current_member


def appointment_or_404(request: HttpRequest, pk: int) -> Appointment:
    """Return the appointment with its related rows. Schedulers see those of the organisation, staff their own."""
    visible = Appointment.objects.visible_to(current_member(request)).with_details()
    return get_object_or_404(with_cause(visible.select_related("booked_by")), pk=pk)


def link_context(appointment: Appointment) -> dict[str, Any]:
    """Return the template context of an appointment and its link."""
    return {
        "appointment": appointment,
        "link": link_of(appointment),
        "join_url": staff_join_url(appointment),
        "client_join_url": join_url(appointment),
        "join_label": join_label(appointment),
        "platform": platform_of(appointment.meeting.connection).label if appointment.meeting else "",
    }


def page_or_panel(
    request: HttpRequest, template: str, appointment: Appointment, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Render a full page, or only the content for the panel of the schedule."""
    in_panel = is_htmx(request)
    layout = "appointments/panel/_layout.html" if in_panel else "base.html"
    full_context = {**link_context(appointment), "layout": layout, "in_panel": in_panel, **(context or {})}
    response = render(request, template, full_context)
    response.headers["Vary"] = "HX-Request"
    return response

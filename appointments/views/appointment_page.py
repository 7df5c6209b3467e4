"""What the pages of one appointment share: who may open it, and whether it fills a page or the schedule's panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from appointments.absolute_urls import join_url
from appointments.labels import join_label
from appointments.models import Appointment
from appointments.video.link_state import link_of
from staff.access import current_member

_LOADED = (
    "organization",
    "client",
    "service",
    "location",
    "meeting__connection",
    "staff__organization",
    "staff__location",
    "booked_by",
)


def appointment_or_404(request: HttpRequest, pk: int) -> Appointment:
    """The appointment with what its pages show; schedulers open all of their organisation's, staff their own."""
    visible = Appointment.objects.visible_to(current_member(request))
    return get_object_or_404(visible.select_related(*_LOADED), pk=pk)


def link_context(shown: Appointment) -> dict[str, Any]:
    """The appointment and its link, as the templates read them."""
    return {
        "appointment": shown,
        "link": link_of(shown),
        "join_url": join_url(shown),
        "join_label": join_label(shown),
    }


def page_or_panel(
    request: HttpRequest, template: str, shown: Appointment, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The same content as a page of its own, or, asked for by the schedule's panel, without what is around it."""
    in_panel = bool(request.htmx)  # type: ignore[attr-defined]
    layout = "appointments/panel/_layout.html" if in_panel else "base.html"
    whole = {**link_context(shown), "layout": layout, "in_panel": in_panel, **(context or {})}
    response = render(request, template, whole)
    response.headers["Vary"] = "HX-Request"
    return response

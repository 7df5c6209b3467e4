"""Appointment page and panel: details, link, status and notes."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from appointments.answers import answers_of
from appointments.attention.texts import cause_text, last_results
from appointments.booking_rules.errors import BookingError
from appointments.changes.move import is_movable
from appointments.changes.notes import notes_fingerprint, write_notes
from appointments.changes.status import PREVIOUS_STATUS, change_status, next_statuses, undo_status
from appointments.forms.notes import NotesForm
from appointments.forms.status import UNDO, StatusForm
from appointments.models import Appointment, BookedThrough, Status
from appointments.notifications.bounces import bounce_sentence
from appointments.video.link_state import link_of
from appointments.video.repair import retry_link
from appointments.views.appointment_page import appointment_or_404, link_context, page_or_panel
from appointments.views.responses import see_other
from staff.access import current_member
from staff.outbox import send_again


@require_safe
@never_cache
def appointment_details(request: HttpRequest, pk: int) -> HttpResponse:
    appointment = appointment_or_404(request, pk)
    context = _page_context(appointment)
    return page_or_panel(request, "appointments/appointment/page.html", appointment, context)


@require_safe
@never_cache
def appointment_updates(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the changed parts of the page; 204 while the fingerprint equals `seen`."""
    appointment = appointment_or_404(request, pk)
    context = _page_context(appointment)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(
        request,
        "appointments/appointment/_updates.html",
        {**link_context(appointment), **context, "has_changed": True},
    )


@require_safe
@never_cache
def appointment_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the link part of the page; 204 while its fingerprint equals `seen`."""
    appointment = appointment_or_404(request, pk)
    if request.GET.get("seen") == link_of(appointment).fingerprint:
        return HttpResponse(status=204)
    return render(request, "appointments/appointment/_video_link.html", link_context(appointment))


@require_POST
def appointment_try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Request the link again, or for the first time if there was no meeting."""
    appointment = appointment_or_404(request, pk)
    result = retry_link(appointment, actor=current_member(request))
    if result.is_retried:
        messages.success(request, _("The link is being created again."))
    if result.sentence:
        messages.warning(request, result.sentence)
    return see_other("appointment", pk)


@require_POST
def appointment_email_again(request: HttpRequest, pk: int, email: int) -> HttpResponse:
    """Resend an email that failed or may not have been sent."""
    appointment = appointment_or_404(request, pk)
    if send_again(get_object_or_404(appointment.notifications.select_related("email"), pk=email).email):
        messages.success(request, _("The email is being sent again."))
    else:
        messages.error(request, _("That email was sent already, or is being sent."))
    return see_other("appointment", pk)


@require_POST
def appointment_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status, or undo the last change."""
    appointment = appointment_or_404(request, pk)
    form = StatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That button is out of date. Look at the appointment again."))
        return see_other("appointment", pk)
    requested, version = form.cleaned_data["status"], form.cleaned_data["version"]
    change = undo_status if requested == UNDO else partial(change_status, status=Status(requested))
    try:
        change(appointment, actor=current_member(request), through=BookedThrough.SCHEDULE, version=version)
    except BookingError as error:
        messages.error(request, error.sentence)
    return see_other("appointment", pk)


@require_POST
def appointment_notes(request: HttpRequest, pk: int) -> HttpResponse:
    """Save both notes. If a colleague changed them first, keep the input and show an error."""
    appointment = appointment_or_404(request, pk)
    form = NotesForm(request.POST)
    if form.is_valid():
        try:
            write_notes(appointment, actor=current_member(request), **form.cleaned_data)
        except BookingError as error:
            form = NotesForm.again(request.POST, appointment, error.sentence)
        else:
            messages.success(request, _("Saved."))
            return see_other("appointment", pk)
    context = _page_context(appointment) | {"notes": form}
    return page_or_panel(request, "appointments/appointment/page.html", appointment, context)


def _page_context(appointment: Appointment) -> dict[str, Any]:
    events = list(appointment.events.select_related("actor"))
    notifications = list(appointment.notifications.select_related("email").order_by("pk"))
    client = appointment.client
    parts: list[object] = [
        (appointment.version, appointment.status, client.name, client.email, client.phone, client.erased_at),
        (link_of(appointment).fingerprint, notes_fingerprint(appointment), [event.pk for event in events]),
        [(each.pk, each.email.state, each.email.is_uncertain, each.email.bounce) for each in notifications],
    ]
    is_erased = client.erased_at is not None
    attention = cause_text(appointment)
    parts.append(attention)
    return {
        "attention": attention,
        "bounce_sentence": bounce_sentence(client),
        "last_result": last_results([appointment]).get(appointment.pk, "") if attention else "",
        "may_change": is_movable(appointment),
        "next_statuses": [] if is_erased else next_statuses(appointment),
        "previous_status": None if is_erased else PREVIOUS_STATUS.get(appointment.status),
        "notes": NotesForm.of(appointment),
        "answers": list(answers_of(appointment)),
        "events": events,
        "notifications": notifications,
        "seen": sha256(repr(parts).encode()).hexdigest()[:16],
    }

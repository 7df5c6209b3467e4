"""One appointment: look at it, its link, move it, cancel it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.move import MoveForm
from appointments.links import join_label, join_url
from appointments.models import Appointment, BookedThrough, Status
from appointments.moving import move_appointment
from appointments.refusals import BookingRefused
from appointments.statuses import cancel_appointment
from appointments.video_links import Link, link_of
from appointments.views.answers import see_other
from integrations.meetings import try_again
from integrations.models import Meeting
from staff.access import current_member


@require_safe
@never_cache
def appointment(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one appointment."""
    shown = _appointment_or_404(request, pk)
    context = {
        **_link_context(shown),
        "may_change": _may_change(shown),
        "events": shown.events.select_related("actor"),
        "mails": shown.notifications.order_by("created_at", "pk"),
    }
    return render(request, "appointments/appointment.html", context)


@require_safe
@never_cache
def appointment_link(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that waits for the link; 204 while it is as the page has it (`seen`)."""
    shown = _appointment_or_404(request, pk)
    if request.GET.get("seen") == link_of(shown).fingerprint:
        return HttpResponse(status=204)
    return render(request, "appointments/_link.html", _link_context(shown))


@require_POST
def appointment_try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the link once more."""
    shown = _appointment_or_404(request, pk)
    if try_again(Meeting.objects.filter(appointment=shown)):
        messages.success(request, _("The link is being created again."))
    return see_other("appointment", pk)


@require_http_methods(["GET", "POST"])
def appointment_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time; the person, the length and the links stay."""
    shown = _appointment_or_404(request, pk)
    member = current_member(request)
    form = MoveForm.from_request(request, shown, member.zone)
    if form.is_bound and form.is_valid():
        try:
            move_appointment(
                shown,
                starts_at=form.cleaned_data["starts_at"],
                actor=member,
                through=BookedThrough.SCHEDULE,
                outside_hours=form.cleaned_data["outside_hours"],
            )
        except BookingRefused as refusal:
            form.refuse(refusal, shown.staff, shown.ends_at - shown.starts_at)
        else:
            messages.success(request, _("The appointment is moved."))
            return see_other("appointment", pk)
    return render(request, "appointments/move.html", {"form": form, **_link_context(shown)})


@require_http_methods(["GET", "POST"])
def appointment_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then cancel."""
    shown = _appointment_or_404(request, pk)
    if request.method != "POST":
        return render(request, "appointments/cancel.html", _link_context(shown))
    try:
        cancel_appointment(shown, actor=current_member(request), through=BookedThrough.SCHEDULE)
    except BookingRefused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The appointment is cancelled."))
    return see_other("appointment", pk)


def _appointment_or_404(request: HttpRequest, pk: int) -> Appointment:
    loaded = Appointment.objects.visible_to(current_member(request)).select_related(
        "organization", "client", "service", "location", "meeting__connection"
    )
    return get_object_or_404(
        loaded.select_related("staff__organization", "staff__location", "booked_by"), pk=pk
    )


def _may_change(shown: Appointment) -> bool:
    return shown.status == Status.CONFIRMED


def _link_context(shown: Appointment) -> dict[str, Appointment | Link | str]:
    return {
        "appointment": shown,
        "link": link_of(shown),
        "join_url": join_url(shown),
        "join_label": join_label(shown),
    }

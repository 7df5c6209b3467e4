"""Pages without an account: whoever holds the token may look, join, and with the client's own token, move or cancel.

GET never changes anything, as mail scanners follow links. Nothing is kept by caches, search engines or the next site.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking_rules.errors import BookingError
from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.client_view.private_links import (
    Phase,
    client_zone,
    join_target_of,
    phase_of,
    times_to_move_to,
)
from appointments.client_view.rate_limits import limit_of_guessing, no_guess
from appointments.dates import DayField
from appointments.forms.cancel import ReasonForm
from appointments.labels import join_label
from appointments.models import Appointment, Audience, BookedThrough, NotificationKind
from appointments.notifications.ics import invitation
from appointments.video.link_state import link_of
from appointments.views.responses import SeeOther, see_other
from staff.rate_limits import Limit

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Appointment, P], HttpResponse]


def _private(token_field: str) -> Callable[[Page[P]], Callable[..., HttpResponse]]:
    """Hand the page the appointment of its token, in the client's zone; 404 in the public shell for any other."""

    def decorate(page: Page[P]) -> Callable[..., HttpResponse]:
        @wraps(page)
        def guarded(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if limit := limit_of_guessing(request):
                return discreet(_wait(request, limit))
            # The database knows no text with a NUL in it, and no token has one.
            appointment = None if "\0" in token else loaded().filter(**{token_field: token}).first()
            if appointment is None:
                return discreet(render(request, "appointments/private_unknown.html", status=404))
            no_guess(request)
            with timezone.override(client_zone(appointment)):
                return discreet(page(request, appointment, *args, **kwargs))

        return guarded

    return decorate


@require_http_methods(["GET", "HEAD"])
@_private("manage_token")
def manage(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The appointment as its client sees it."""
    context = appointment_context(appointment) | {"just_moved": "moved" in request.GET}
    return render(request, "appointments/manage.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@_private("manage_token")
def manage_cancel(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Ask first; then cancel."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    context = appointment_context(appointment) | {"form": form}
    if form.is_valid():
        try:
            cancel_appointment(
                appointment,
                actor=None,
                through=BookedThrough.CLIENT_VIEW,
                reason=form.cleaned_data["reason"],
            )
        except BookingError as refusal:
            context["refusal"] = refusal.sentence
        else:
            return see_other("manage-appointment", appointment.manage_token)
    return render(request, "appointments/manage_cancel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@_private("manage_token")
def manage_move(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Another free time of the same person."""
    refusal = _move(request, appointment) if request.method == "POST" else ""
    if request.method == "POST" and not refusal:
        # These pages keep no session that could carry a message.
        return SeeOther(
            reverse("manage-appointment", args=[appointment.manage_token], query={"moved": "yes"})
        )
    first = DayField.day_in(request.GET.get("from", ""))
    times = times_to_move_to(appointment, client_zone(appointment), first)
    context = appointment_context(appointment) | {
        "days": times.days,
        "later": times.later,
        "is_later": first is not None,
        "refusal": refusal,
    }
    return render(request, "appointments/manage_move.html", context)


@require_safe
@_private("manage_token")
def calendar_file(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The appointment for the client's calendar: the same entry that the mails carry."""
    told = appointment.notifications.order_by("-sequence").values_list("sequence", flat=True).first()
    cancelled = phase_of(appointment) == Phase.CANCELLED
    ics = invitation(
        appointment,
        kind=NotificationKind.CANCELLED if cancelled else NotificationKind.BOOKED,
        sequence=told or 0,
        audience=Audience.CLIENT,
        to=appointment.client.email,
    )
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return HttpResponse(ics, content_type="text/calendar; charset=utf-8", headers=headers)


@require_safe
@_private("join_token")
def join(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """To the video call, wherever it takes place now; a page in words where there is none (yet)."""
    door = join_target_of(appointment)
    waiting = request.headers.get("HX-Request") == "true"
    if door.state == "wait" and waiting:
        return HttpResponse(status=204)
    if door.url and not waiting:
        return HttpResponseRedirect(door.url)
    context = {"appointment": appointment, "door": door, "join_label": join_label(appointment)}
    return render(request, "appointments/_door.html" if waiting else "appointments/join.html", context)


def _wait(request: HttpRequest, limit: Limit) -> HttpResponse:
    seconds = limit.ends_in()
    answer = render(request, "appointments/private_wait.html", {"minutes": -(-seconds // 60)}, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def loaded() -> Any:
    """Appointments with everything that a client's page shows."""
    return Appointment.objects.select_related(
        "organization",
        "client",
        "service",
        "location",
        "meeting__connection",
        "staff__organization",
        "staff__location",
    )


def discreet(response: HttpResponse) -> HttpResponse:
    """Kept by no cache, no search engine, and not told to the next site."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def appointment_context(appointment: Appointment) -> dict[str, Any]:
    """What the templates of a client's appointment need."""
    return {
        "appointment": appointment,
        "standing": phase_of(appointment),
        "link": link_of(appointment),
        "join_label": join_label(appointment),
        "zone": client_zone(appointment),
    }


def _move(request: HttpRequest, appointment: Appointment) -> str:
    """Move to the chosen time; the sentence that says why not, or nothing."""
    starts_at = _moment(request.POST.get("starts_at", ""))
    if starts_at is None:
        return _("Choose one of the times.")
    try:
        move_appointment(appointment, starts_at=starts_at, actor=None, through=BookedThrough.CLIENT_VIEW)
    except BookingError as refusal:
        return refusal.sentence
    return ""


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None

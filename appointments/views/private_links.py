"""Pages behind private links. A token in the address grants access; the manage token also moves and cancels.

GET changes nothing, because email scanners follow links.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from appointments.attention.other_times import has_other_time, move_for_client, needs_colleague
from appointments.booking_rules.errors import BookingError
from appointments.changes.status import cancel_appointment
from appointments.client_view.mailboxes import mailbox_proof
from appointments.client_view.private_links import (
    Phase,
    join_target_of,
    phase_of,
    private_links_have_ended,
    times_to_move_to,
)
from appointments.client_view.rate_limits import (
    limit_of_cancelling,
    limit_of_guessing,
    limit_of_moving,
    refund_guess,
    refund_move,
)
from appointments.dates import DayField, IsoDateTimeField
from appointments.deadlines import deadlines_of
from appointments.forms.cancel import ReasonForm
from appointments.labels import join_label, phone_to_call, reason_for_client
from appointments.models import Appointment, BookedThrough
from appointments.notifications.ics import file_of
from appointments.parameters import clean_or_none
from appointments.video.link_state import link_of
from appointments.views.responses import SeeOther, is_htmx, see_other, too_many_requests
from coconut.web.body_limits import small_bodies_only
from staff.clock import override_clock

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Appointment, P], HttpResponse]


def _private_page(*token_fields: str) -> Callable[[Page[P]], Callable[..., HttpResponse]]:
    """Pass the appointment of the token to the page, in the reader's time zone.

    404 for an unknown token, and 410 for a link that has ended.
    """

    def decorate(page: Page[P]) -> Callable[..., HttpResponse]:
        @small_bodies_only
        @wraps(page)
        def guarded(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if limit := limit_of_guessing(request):
                template = "appointments/manage/too_many_requests.html"
                return confidential(too_many_requests(request, template, limit))
            has_token = Q(*[(field, token) for field in token_fields], _connector=Q.OR)
            # PostgreSQL refuses text with a NUL.
            appointment = None if "\0" in token else Appointment.objects.with_details().filter(has_token).first()
            if appointment is None:
                return confidential(render(request, "appointments/manage/unknown_link.html", status=404))
            refund_guess(request)
            if private_links_have_ended(appointment):
                context = {"organization": appointment.organization, "phone": phone_to_call(appointment)}
                return confidential(render(request, "appointments/manage/ended_link.html", context, status=410))
            is_for_staff = token == appointment.staff_join_token
            zone = appointment.zone_for(appointment.staff) if is_for_staff else appointment.client_zone
            with timezone.override(zone), override_clock(appointment.organization.clock):
                return confidential(page(request, appointment, *args, **kwargs))

        return guarded

    return decorate


@csrf_exempt  # the token grants access, not a cookie
@login_not_required
@require_http_methods(["GET", "HEAD"])
@_private_page("manage_token")
def manage(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Show the appointment to its client."""
    context = appointment_context(appointment) | {
        "just_moved": "moved" in request.GET,
        "mailbox_proof": mailbox_proof(appointment.client.email) or None,
        "reason": reason_for_client(appointment),
    }
    # Searched only for the few who need it.
    if context["needs_colleague"] and context["phase"] == Phase.AHEAD:
        context["has_other_time"] = has_other_time(appointment)
    return render(request, "appointments/manage/page.html", context)


@csrf_exempt  # the token grants access, not a cookie
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@_private_page("manage_token")
def manage_cancel(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Confirm with an optional reason; then cancel."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    context = appointment_context(appointment) | {"form": form}
    limit = limit_of_cancelling(request) if request.method == "POST" else None
    if limit is not None:
        context["error"] = _("Too many appointments were changed from here. Try again later.")
        context["is_limited"] = True
        return too_many_requests(request, "appointments/manage/cancel.html", limit, context)
    if form.is_valid():
        try:
            cancel_appointment(
                appointment,
                actor=None,
                through=BookedThrough.CLIENT_VIEW,
                reason=form.cleaned_data["reason"],
            )
        except BookingError as error:
            context["error"] = error.sentence
        else:
            return see_other("manage-appointment", appointment.manage_token)
    return render(request, "appointments/manage/cancel.html", context)


@csrf_exempt  # the token grants access, not a cookie
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@_private_page("manage_token")
def manage_move(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Move to another free time of the same staff member."""
    limit = limit_of_moving(request, appointment) if request.method == "POST" else None
    error = _("This appointment can’t be moved here at the moment.") if limit else ""
    if request.method == "POST" and not limit:
        error = _try_move(request, appointment)
    if request.method == "POST" and not error:
        # These pages have no session for a message.
        return SeeOther(reverse("manage-appointment", args=[appointment.manage_token], query={"moved": "yes"}))
    first = clean_or_none(DayField(), request.GET.get("from", ""))
    times = times_to_move_to(appointment, appointment.client_zone, first)
    context = appointment_context(appointment) | {
        "days": times.days,
        "later": times.later,
        "is_later": first is not None,
        "error": error,
        "is_limited": bool(limit),
    }
    if limit:
        return too_many_requests(request, "appointments/manage/move.html", limit, context)
    return render(request, "appointments/manage/move.html", context)


@login_not_required
@require_safe
@_private_page("manage_token")
def calendar_file(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Return the calendar entry of the appointment, as in the emails."""
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return HttpResponse(file_of(appointment), content_type="text/calendar; charset=utf-8", headers=headers)


@login_not_required
@require_safe
@_private_page("join_token", "staff_join_token")
def join(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Redirect the client or the staff member to the video call, or show a page while there is none.

    htmx polls that page.
    """
    target = join_target_of(appointment)
    polling = is_htmx(request)
    if target.state == "wait" and polling:
        return HttpResponse(status=204)
    if target.url and not polling:
        return HttpResponseRedirect(target.url)
    context = {
        "appointment": appointment,
        "target": target,
        "join_label": join_label(appointment),
        "is_for_staff": request.path == reverse("join", args=[appointment.staff_join_token]),
    }
    return render(
        request,
        "appointments/manage/_join_target.html" if polling else "appointments/manage/join.html",
        context,
    )


def confidential(response: HttpResponse) -> HttpResponse:
    """Keep a response out of caches and search engines, and its address out of Referer headers."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def appointment_context(appointment: Appointment) -> dict[str, Any]:
    """Return the template context of a client's appointment."""
    return {
        "appointment": appointment,
        "phase": phase_of(appointment),
        "link": link_of(appointment),
        "join_label": join_label(appointment),
        "zone": appointment.client_zone,
        "deadlines": deadlines_of(appointment),
        "needs_colleague": needs_colleague(appointment),
    }


def _try_move(request: HttpRequest, appointment: Appointment) -> str:
    """Move to the chosen time. Return the reason if that isn't possible, else an empty string.

    A refused move doesn't count towards the limit.
    """
    starts_at = clean_or_none(IsoDateTimeField(requires_offset=True), request.POST.get("starts_at", ""))
    if starts_at is None:
        refund_move(request, appointment)
        return _("Choose one of the times.")
    try:
        move_for_client(appointment, starts_at)
    except BookingError as error:
        refund_move(request, appointment)
        return error.sentence
    return ""

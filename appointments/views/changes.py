"""Change an appointment: move it, reassign it, change its meeting method, or cancel it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.booking_rules.errors import BookingError
from appointments.changes.meeting_method import change_method
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.forms.cancel import CancelForm
from appointments.forms.method import MethodForm
from appointments.forms.move import MoveForm
from appointments.forms.reassign import ReassignForm
from appointments.models import BookedThrough
from appointments.views.appointment_page import appointment_or_404, page_or_panel
from appointments.views.responses import see_other
from staff.access import current_member, schedulers_only


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move an appointment, and change its length if the service allows that. Staff member and link stay."""
    shown = appointment_or_404(request, pk)
    member = current_member(request)
    form = MoveForm.from_request(request, shown, member.zone)
    if form.is_valid():
        try:
            move_appointment(
                shown,
                starts_at=form.date_time.cleaned_data["starts_at"],
                ends_at=form.ends_at,
                actor=member,
                through=BookedThrough.SCHEDULE,
                outside_hours=form.date_time.cleaned_data["outside_hours"],
                version=form.cleaned_data["version"],
            )
        except BookingError as error:
            form.add_booking_error(error)
        else:
            messages.success(request, _("The appointment is moved."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/move.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
@schedulers_only
def appointment_reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Reassign an appointment at the same time. Each candidate shows what happens to the link."""
    shown = appointment_or_404(request, pk)
    form = ReassignForm(request.POST if request.method == "POST" else None, appointment=shown)
    if form.is_valid():
        try:
            reassign_appointment(
                shown,
                staff=form.chosen,
                actor=current_member(request),
                through=BookedThrough.SCHEDULE,
                outside_hours=True,
                version=form.cleaned_data["version"],
            )
        except BookingError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, _("%(name)s has the appointment now.") % {"name": form.chosen.name})
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/reassign.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_method(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the meeting method or the location."""
    shown = appointment_or_404(request, pk)
    form = MethodForm(request.POST if request.method == "POST" else None, appointment=shown)
    if form.is_valid():
        try:
            change_method(
                shown, actor=current_member(request), through=BookedThrough.SCHEDULE, **form.cleaned_data
            )
        except BookingError as error:
            form.add_error("method" if error.field == "method" else None, error.sentence)
        else:
            messages.success(request, _("Saved."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/method.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm with an optional reason; then cancel."""
    shown = appointment_or_404(request, pk)
    form = CancelForm.of(shown, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            cancel_appointment(
                shown, actor=current_member(request), through=BookedThrough.SCHEDULE, **form.cleaned_data
            )
        except BookingError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, _("The appointment is cancelled."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/cancel.html", shown, {"form": form})

"""Forms that change an appointment: another time, staff member or meeting method, and cancelling it."""

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
from appointments.models import Appointment, BookedThrough
from appointments.views.appointment_page import appointment_or_404, page_or_panel
from appointments.views.responses import see_other
from staff.access import current_member, schedulers_only
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time, and another length where the service allows it; the person and the link stay."""
    shown = appointment_or_404(request, pk)
    member = current_member(request)
    form = MoveForm.from_request(request, shown, member.zone)
    if form.is_bound and form.is_valid():
        try:
            _move(shown, form, member)
        except BookingError as refusal:
            form.refuse(refusal, shown.staff, shown.ends_at - shown.starts_at)
        else:
            messages.success(request, _("The appointment is moved."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/move.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
@schedulers_only
def appointment_reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Another staff member, at the same time; what becomes of the link is said beside each."""
    shown = appointment_or_404(request, pk)
    form = ReassignForm(request.POST if request.method == "POST" else None, appointment=shown)
    if form.is_bound and form.is_valid():
        try:
            reassign_appointment(
                shown,
                staff=form.chosen,
                actor=current_member(request),
                through=BookedThrough.SCHEDULE,
                outside_hours=True,
                version=form.cleaned_data["version"],
            )
        except BookingError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, _("%(name)s has the appointment now.") % {"name": form.chosen.name})
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/reassign.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_method(request: HttpRequest, pk: int) -> HttpResponse:
    """Another meeting method, or another location."""
    shown = appointment_or_404(request, pk)
    form = MethodForm(request.POST if request.method == "POST" else None, appointment=shown)
    if form.is_bound and form.is_valid():
        try:
            change_method(
                shown, actor=current_member(request), through=BookedThrough.SCHEDULE, **form.cleaned_data
            )
        except BookingError as refusal:
            form.add_error("method" if refusal.field == "method" else None, refusal.sentence)
        else:
            messages.success(request, _("Saved."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/method.html", shown, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, with the reason; then cancel."""
    shown = appointment_or_404(request, pk)
    form = CancelForm.of(shown, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            cancel_appointment(
                shown, actor=current_member(request), through=BookedThrough.SCHEDULE, **form.cleaned_data
            )
        except BookingError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, _("The appointment is cancelled."))
            return see_other("appointment", pk)
    return page_or_panel(request, "appointments/cancel.html", shown, {"form": form})


def _move(shown: Appointment, form: MoveForm, member: StaffMember) -> None:
    chosen = form.cleaned_data
    move_appointment(
        shown,
        starts_at=chosen["starts_at"],
        ends_at=form.ends_at,
        actor=member,
        through=BookedThrough.SCHEDULE,
        outside_hours=chosen["outside_hours"],
        version=chosen["version"],
    )

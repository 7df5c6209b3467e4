"""Change an appointment: move it, reassign it, change its meeting method, or cancel it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.changes.meeting_method import change_method
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.forms.cancel import CancelForm
from appointments.forms.fields import ChangeForm
from appointments.forms.method import MethodForm
from appointments.forms.move import MoveForm
from appointments.forms.reassign import ReassignForm
from appointments.models import Appointment, BookedThrough
from appointments.notifications.outbox import client_not_emailed
from appointments.views.appointment_page import appointment_or_404, page_or_panel
from appointments.views.responses import see_other
from appointments.views.submit import submit
from staff.access import current_member, schedulers_only


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move an appointment, and change its length if the service allows that. Staff member and link stay."""
    appointment = appointment_or_404(request, pk)
    member = current_member(request)
    form = MoveForm.from_request(request, appointment, member.zone)
    moved = _submit_change(
        form,
        lambda: move_appointment(
            appointment,
            starts_at=form.date_time.cleaned_data["starts_at"],
            ends_at=form.ends_at,
            actor=member,
            through=BookedThrough.SCHEDULE,
            outside_hours=form.date_time.cleaned_data["outside_hours"],
            version=form.cleaned_data["version"],
            client_must_be_free=not form.cleaned_data["client_busy_anyway"],
        ),
    )
    if moved:
        messages.success(request, _("The appointment is moved."))
        return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/move.html", appointment, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
@schedulers_only
def appointment_reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Reassign an appointment at the same time. Each candidate shows what happens to the link."""
    appointment = appointment_or_404(request, pk)
    form = ReassignForm(_submitted_data(request), appointment=appointment)
    reassigned = _submit_change(
        form,
        lambda: reassign_appointment(
            appointment,
            staff=form.chosen,
            actor=current_member(request),
            through=BookedThrough.SCHEDULE,
            outside_hours=True,
            version=form.cleaned_data["version"],
        ),
    )
    if reassigned:
        messages.success(request, _("%(name)s has the appointment now.") % {"name": reassigned.staff.name})
        return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/reassign.html", appointment, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_method(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the meeting method or the location."""
    appointment = appointment_or_404(request, pk)
    form = MethodForm(_submitted_data(request), appointment=appointment)
    change = partial(change_method, appointment, actor=current_member(request), through=BookedThrough.SCHEDULE)
    if _submit_change(form, lambda: change(**_without_tick(form))):
        messages.success(request, _("Saved."))
        return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/method.html", appointment, {"form": form})


@require_http_methods(["GET", "POST"])
@never_cache
def appointment_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm with an optional reason; then cancel."""
    appointment = appointment_or_404(request, pk)
    form = CancelForm(_submitted_data(request), initial={"version": appointment.version})
    change = partial(cancel_appointment, appointment, actor=current_member(request), through=BookedThrough.SCHEDULE)
    if _submit_change(form, lambda: change(**_without_tick(form))):
        messages.success(request, _("The appointment is cancelled."))
        return see_other("appointment", pk)
    return page_or_panel(request, "appointments/appointment/cancel.html", appointment, {"form": form})


def _submit_change(form: ChangeForm | MoveForm, change: Callable[[], Appointment]) -> Appointment | None:
    """Submit, and send the client no email about the change if the person chose so."""

    def change_quietly() -> Appointment:
        with client_not_emailed(form.cleaned_data["dont_notify"]):
            return change()

    return submit(form, change_quietly)


def _without_tick(form: ChangeForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "dont_notify"}


def _submitted_data(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None

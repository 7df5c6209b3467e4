"""List of appointments that need attention, and their bulk changes."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.attention.bulk_changes import progress_of, start_bulk_change
from appointments.attention.conditions import load_with_cause
from appointments.attention.leave import leave_as_it_is
from appointments.attention.texts import cause_text, last_results
from appointments.bulk_change_models import BulkAction, BulkChange
from appointments.forms.attention import AttentionFilter, BulkChangeForm
from appointments.forms.selection import Selection
from appointments.models import Appointment
from appointments.views.appointment_page import appointment_or_404
from appointments.views.responses import SeeOther, is_htmx, see_other
from staff.access import current_member, current_organization, schedulers_only
from staff.pagination import list_context

_FIRST_SHOWN = 10


@require_safe
@never_cache
@schedulers_only
def attention(request: HttpRequest) -> HttpResponse:
    """List the appointments that need attention, with the reason for each."""
    filters = AttentionFilter(request.GET, organization=current_organization(request))
    listed = list_context(request, filters.appointments)
    context = {
        "filters": filters,
        "rows": _rows(listed["page"]),
        "changes": BulkChange.objects.filter(organization=filters.organization, finished_at=None),
        **listed,
    }
    return render(request, "appointments/attention/list.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@schedulers_only
def attention_change(request: HttpRequest) -> HttpResponse:
    """Show what a bulk change would do; start it after the confirmation. GET selects everything that matches."""
    filters = AttentionFilter(request.GET, organization=current_organization(request))
    is_post = request.method == "POST"
    selection = Selection.of(request.POST) if is_post else Selection(True, frozenset(), frozenset())
    chosen = selection.among(filters.appointments)
    number = chosen.count()
    action = (request.POST if is_post else request.GET).get("action", "")
    if action not in BulkAction.values or not selection or not number:
        messages.info(request, _("No appointment is selected. Select those that should change."))
        return SeeOther(_list_address(request))
    form = BulkChangeForm(request.POST if "confirmed" in request.POST else None, action=action)
    if form.is_valid():
        change = start_bulk_change(
            filters.organization,
            chosen,
            BulkAction(action),
            started_by=current_member(request),
            reason=form.cleaned_data.get("reason", ""),
        )
        return see_other("attention-progress", change.pk)
    context = {
        "form": form,
        "action": action,
        "number": number,
        "selection": selection,
        "rows": _rows(chosen[:_FIRST_SHOWN]),
        "list_page": _list_address(request),
    }
    return render(request, "appointments/attention/confirm.html", context)


@require_POST
@schedulers_only
def appointment_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave an appointment as it is, for the cause that the page showed."""
    appointment = appointment_or_404(request, pk)
    if leave_as_it_is(appointment, request.POST.get("cause", ""), actor=current_member(request)):
        messages.success(request, _("The appointment stays as it is."))
    else:
        messages.info(request, _("The reason changed meanwhile. Look at the appointment again."))
    return see_other("attention") if request.GET.get("back") == "list" else see_other("appointment", pk)


@require_safe
@never_cache
@schedulers_only
def attention_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a bulk change is, and what stayed as it was. htmx polls this page until the end."""
    change = get_object_or_404(BulkChange.objects.filter(organization=current_organization(request)), pk=pk)
    context = {"change": change, "progress": progress_of(change)}
    template = "_progress.html" if is_htmx(request) else "progress.html"
    return render(request, f"appointments/attention/{template}", context)


def _list_address(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("action", None)
    return f"{see_other('attention').url}?{query.urlencode()}"


def _rows(found: Iterable[Appointment]) -> list[tuple[Appointment, str, str]]:
    """Return each appointment with its reason and the result of the last bulk change."""
    appointments = load_with_cause(found)
    results = last_results(appointments)
    return [(each, cause_text(each), results.get(each.pk, "")) for each in appointments]

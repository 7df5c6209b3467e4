"""Exceptions on the page Hours: days off and other hours of a staff member."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from staff.access import current_member, not_for_schedulers
from staff.closings.overrides import remove_exception, save_exception
from staff.forms.overrides import ExceptionForm
from staff.locations.choices import locations_for_hours
from staff.models import DateOverride, StaffMember
from staff.people import person_or_404
from staff.views.hours import hours_page
from staff.views.planned_changes import Saving, save_hours


@require_http_methods(["GET", "POST"])
@not_for_schedulers
def exception_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add an exception. GET, after a reload, shows the page Hours."""
    person = person_or_404(current_member(request), pk)
    if request.method == "GET":
        return redirect("staff-hours", person.pk)
    form = ExceptionForm(request.POST, person=person, locations=locations_for_hours(person))
    saving = _save(request, form, person)
    if saving.is_saved:
        return redirect(saving.next_page or reverse("staff-hours", args=[person.pk]))
    return saving.page or hours_page(request, person, exception_form=form)


@require_http_methods(["GET", "POST"])
@not_for_schedulers
def exception_edit(request: HttpRequest, pk: int, override_pk: int) -> HttpResponse:
    """Change an exception."""
    person = person_or_404(current_member(request), pk)
    override = get_object_or_404(person.overrides, pk=override_pk)
    data = request.POST if request.method == "POST" else None
    form = ExceptionForm(data, person=person, locations=locations_for_hours(person), override=override)
    saving = _save(request, form, person, override) if form.is_bound else Saving()
    if saving.is_saved:
        return redirect(saving.next_page or reverse("staff-hours", args=[person.pk]))
    return saving.page or render(request, "staff/exception.html", {"form": form, "person": person})


@require_POST
@not_for_schedulers
def exception_remove(request: HttpRequest, pk: int, override_pk: int) -> HttpResponse:
    """Remove an exception. A second click changes nothing."""
    person = person_or_404(current_member(request), pk)
    if remove_exception(person, override_pk):
        messages.success(request, _("The exception is removed."))
    return redirect("staff-hours", person.pk)


def _save(
    request: HttpRequest, form: ExceptionForm, person: StaffMember, override: DateOverride | None = None
) -> Saving:
    if not form.is_valid():
        return Saving()
    return save_hours(request, form, partial(save_exception, person, form.values, override))

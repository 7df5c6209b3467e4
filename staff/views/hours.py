"""Page Hours of a staff member: weekly hours and time off."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from staff.access import current_member, not_for_schedulers
from staff.forms.hours import TimeOffForm, WeekForm, with_monday_copied
from staff.hours import remove_time_off, replace_week, time_off_text, upcoming_time_off, week_of
from staff.models import StaffMember
from staff.people import person_or_404
from staff.planned_changes import Cause, PlannedChange
from staff.views.planned_changes import Saving, save_form, save_or_ask


@require_http_methods(["GET", "POST"])
@not_for_schedulers
def hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the weekly hours. *Copy* only fills in the form."""
    person = person_or_404(current_member(request), pk)
    week = week_of(person)
    if request.method == "POST" and "copy" in request.POST:
        form = WeekForm(with_monday_copied(request.POST), week=week)
        messages.info(request, _("Monday is copied to Tuesday to Friday. Save to keep it."))
    else:
        form = WeekForm(request.POST if request.method == "POST" else None, week=week)
        if form.is_bound and form.is_valid():
            saving = save_or_ask(request, partial(_save_week, person, form))
            if saving.is_saved:
                return redirect(saving.next_page or reverse("staff-hours", args=[person.pk]))
            if saving.page is not None:
                return saving.page
    return _hours_page(request, person, form, TimeOffForm(None, person=person))


@require_http_methods(["GET", "POST"])
@not_for_schedulers
def time_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Add time off. GET, after a reload, shows the page."""
    person = person_or_404(current_member(request), pk)
    if request.method == "GET":
        return redirect("staff-hours", person.pk)
    form = TimeOffForm(request.POST, person=person)
    saving = save_or_ask(request, partial(save_form, form)) if form.is_valid() else Saving()
    if saving.is_saved:
        return redirect(saving.next_page or reverse("staff-hours", args=[person.pk]))
    if saving.page is not None:
        return saving.page
    return _hours_page(request, person, WeekForm(None, week=week_of(person)), form)


@require_POST
@not_for_schedulers
def time_off_remove(request: HttpRequest, pk: int, time_off_pk: int) -> HttpResponse:
    """Remove time off. A second click changes nothing."""
    person = person_or_404(current_member(request), pk)
    if remove_time_off(person, time_off_pk):
        messages.success(request, _("The time off is removed."))
    return redirect("staff-hours", person.pk)


def _save_week(person: StaffMember, form: WeekForm) -> list[PlannedChange]:
    replace_week(person, form.week)
    return [PlannedChange(person.organization, Cause.OUTSIDE_HOURS, people=(person.pk,))]


def _hours_page(
    request: HttpRequest, person: StaffMember, week_form: WeekForm, time_off_form: TimeOffForm
) -> HttpResponse:
    context = {
        "person": person,
        "week_form": week_form,
        "time_off_form": time_off_form,
        "time_off": [(off, time_off_text(off, person.zone)) for off in upcoming_time_off(person)],
        "zone": person.zone.key.replace("_", " "),
    }
    return render(request, "staff/hours.html", context)

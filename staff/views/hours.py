"""Page Hours of a staff member: weekly hours, exceptions and time off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from staff.access import current_member, not_for_schedulers
from staff.closings.future_weeks import future_weeks, remove_future_week, save_future_week
from staff.closings.listing import closing_rows
from staff.closings.overrides import upcoming_exceptions
from staff.forms.days import day_or_404
from staff.forms.hours import CopyForm, StartDayForm, WeekForm, with_day_copied
from staff.forms.overrides import ExceptionForm
from staff.forms.time_off import TimeOffForm
from staff.hours import TimeRange, remove_time_off, replace_week, time_off_text, upcoming_time_off, week_of
from staff.locations.choices import choice_label, locations_for_hours
from staff.models import Location, StaffMember
from staff.people import person_or_404
from staff.planned_changes import Cause, PlannedChange
from staff.views.planned_changes import Saving, save_form, save_or_ask
from staff.zone_names import zone_label


@dataclass(frozen=True)
class _WeekForms:
    """Forms of the weekly hours, which one button submits."""

    week: WeekForm
    start: StartDayForm
    copy: CopyForm


@require_http_methods(["GET", "POST"])
@not_for_schedulers
def hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the weekly hours in force, or those from a later day on. *Copy* only fills in the form."""
    person = person_or_404(current_member(request), pk)
    if request.method == "GET":
        return hours_page(request, person)
    if "copy" in request.POST:
        return hours_page(request, person, week_forms=_copied(request, person))
    forms = _week_forms(person, locations_for_hours(person), request.POST)
    saving = save_or_ask(request, partial(_save_week, person, forms))
    if saving.is_saved:
        return redirect(saving.next_page or reverse("staff-hours", args=[person.pk]))
    return saving.page or hours_page(request, person, week_forms=forms)


@require_POST
@not_for_schedulers
def future_hours_remove(request: HttpRequest, pk: int, day: str) -> HttpResponse:
    """Remove the weekly hours that start on a later day. A second click changes nothing."""
    person = person_or_404(current_member(request), pk)
    starts_on = day_or_404(day)
    if remove_future_week(person, starts_on):
        messages.success(request, _("The future hours are removed."))
    return redirect("staff-hours", person.pk)


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
    return saving.page or hours_page(request, person, time_off_form=form)


@require_POST
@not_for_schedulers
def time_off_remove(request: HttpRequest, pk: int, time_off_pk: int) -> HttpResponse:
    """Remove time off. A second click changes nothing."""
    person = person_or_404(current_member(request), pk)
    if remove_time_off(person, time_off_pk):
        messages.success(request, _("The time off is removed."))
    return redirect("staff-hours", person.pk)


def hours_page(
    request: HttpRequest,
    person: StaffMember,
    *,
    week_forms: _WeekForms | None = None,
    time_off_form: TimeOffForm | None = None,
    exception_form: ExceptionForm | None = None,
) -> HttpResponse:
    """Show the page, with the given forms instead of unbound ones."""
    future = dict(future_weeks(person))
    chosen = next((day for day in future if day.isoformat() == request.GET.get("from")), None)
    locations = locations_for_hours(person)
    forms = week_forms or _week_forms(
        person, locations, week=future[chosen] if chosen else week_of(person), starts_on=chosen
    )
    context = {
        "person": person,
        "week_form": forms.week,
        "start_form": forms.start,
        "copy_form": forms.copy,
        "future_weeks": list(future),
        "exceptions": closing_rows(upcoming_exceptions(person)),
        "exception_form": exception_form or ExceptionForm(person=person, locations=locations),
        "time_off_form": time_off_form or TimeOffForm(None, person=person),
        "time_off": [(off, time_off_text(off, person.zone)) for off in upcoming_time_off(person)],
        "zone": zone_label(person.zone),
    }
    return render(request, "staff/hours.html", context)


def _week_forms(
    person: StaffMember,
    locations: Sequence[Location],
    data: Mapping[str, Any] | None = None,
    *,
    week: Iterable[TimeRange] = (),
    starts_on: date | None = None,
) -> _WeekForms:
    home = choice_label(person.location) if person.location else _("Any location")
    choices = locations if len(locations) > 1 else ()
    return _WeekForms(
        WeekForm(data, week=week, locations=choices, no_location=home),
        StartDayForm(data, zone=person.zone, initial=starts_on),
        CopyForm(data if data and "copy" in data else None),
    )


def _is_week_saved(person: StaffMember, forms: _WeekForms) -> bool:
    # Both are checked, so that one page shows the errors of both.
    if not all([forms.week.is_valid(), forms.start.is_valid()]):
        return False
    starts_on, week = forms.start.cleaned_data["starts_on"], forms.week.week
    if starts_on is None:
        replace_week(person, week)
    elif week:
        save_future_week(person, starts_on, week)
    else:
        sentence = _("Enter hours for at least one day. If %(name)s stops working, add time off instead.")
        forms.week.add_error(None, sentence % {"name": person.name})
    return forms.week.is_valid()


def _save_week(person: StaffMember, forms: _WeekForms) -> list[PlannedChange] | None:
    """Save the hours and return what they take away from appointments; None if a form has errors."""
    if not _is_week_saved(person, forms):
        return None
    return [PlannedChange(person.organization, Cause.OUTSIDE_HOURS, people=(person.pk,))]


def _copied(request: HttpRequest, person: StaffMember) -> _WeekForms:
    locations = locations_for_hours(person)
    forms = _week_forms(person, locations, request.POST)
    if not forms.copy.is_valid():
        return forms
    given = forms.copy.cleaned_data
    data = with_day_copied(request.POST, given["copy_from"], given["copy_to"])
    messages.info(request, _("The hours are copied. Save to keep them."))
    return replace(forms, week=_week_forms(person, locations, data).week)

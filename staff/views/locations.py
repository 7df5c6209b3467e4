"""Settings > Locations."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staff.access import admin_only, current_organization
from staff.closings.future_weeks import future_weeks, remove_future_week, save_future_week
from staff.forms.days import day_or_404
from staff.forms.hours import CopyForm, StartDayForm, WeekForm, with_day_copied
from staff.forms.locations import LocationFilter, LocationForm
from staff.hours import TimeRange
from staff.locations.search import location_or_404, search_locations, with_staff_count
from staff.locations.week import opening_week_of, replace_opening_week
from staff.models import Location
from staff.pagination import list_context
from staff.planned_changes import Cause, PlannedChange
from staff.views.planned_changes import Saving, save_form, save_or_ask
from staff.zone_names import zone_label


@require_GET
@admin_only
def location_list(request: HttpRequest) -> HttpResponse:
    """List the locations of the organisation."""
    filters = LocationFilter(request.GET)
    rows = search_locations(current_organization(request).locations.all(), **filters.criteria)
    context = {"filters": filters, **list_context(request, with_staff_count(rows))}
    return render(request, "staff/locations/list.html", context)


@require_http_methods(["GET", "POST"])
@admin_only
def add_location(request: HttpRequest) -> HttpResponse:
    """Add a location, then open its hours."""
    form = LocationForm.for_new(request.POST or None, current_organization(request))
    if form.is_valid() and form.save_or_explain():
        messages.success(request, _("Saved. Now add the opening hours."))
        return redirect("location-hours", form.instance.pk)
    return render(request, "staff/locations/edit.html", {"form": form})


@require_http_methods(["GET", "POST"])
@admin_only
def edit_location(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the details of a location. Some changes need a second submit that confirms them."""
    location = location_or_404(current_organization(request), pk)
    name = location.name
    form = LocationForm(request.POST or None, instance=location)
    saving = save_or_ask(request, partial(save_form, form)) if form.is_valid() else Saving()
    if saving.is_saved:
        return redirect(saving.next_page or reverse("location-edit", args=[location.pk]))
    return saving.page or render(
        request, "staff/locations/edit.html", {"form": form, "location": location, "name": name}
    )


@require_http_methods(["GET", "POST"])
@admin_only
def location_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the weekly opening hours in force, or those from a later day on. *Copy* only fills in the form."""
    location = location_or_404(current_organization(request), pk)
    future = dict(future_weeks(location))
    chosen = next((day for day in future if day.isoformat() == request.GET.get("from")), None)
    week = future[chosen] if chosen else opening_week_of(location)
    data = request.POST if request.method == "POST" else None
    start_form = StartDayForm(data, zone=location.time_zone, initial=chosen)
    if "copy" in request.POST:
        copy_form = CopyForm(request.POST)
        form = _copied_week(request, copy_form, week)
    else:
        copy_form = CopyForm()
        form = WeekForm(data, week=week)
        saving = save_or_ask(request, partial(_save_week, location, form, start_form)) if form.is_bound else Saving()
        if saving.is_saved:
            return redirect(saving.next_page or reverse("location-hours", args=[location.pk]))
        if saving.page is not None:
            return saving.page
    context = {
        "location": location,
        "name": location.name,
        "week_form": form,
        "start_form": start_form,
        "copy_form": copy_form,
        "future_weeks": list(future),
        "is_always_open": not week,
        "zone": zone_label(location.time_zone),
    }
    return render(request, "staff/locations/hours.html", context)


@require_POST
@admin_only
def future_hours_remove(request: HttpRequest, pk: int, day: str) -> HttpResponse:
    """Remove the opening hours that start on a later day. A second click changes nothing."""
    location = location_or_404(current_organization(request), pk)
    if remove_future_week(location, day_or_404(day)):
        messages.success(request, _("The future hours are removed."))
    return redirect("location-hours", location.pk)


def _save_week(location: Location, form: WeekForm, start_form: StartDayForm) -> list[PlannedChange] | None:
    """Save the hours and return what they take away from appointments; None if a form has errors."""
    # Both are checked, so that one page shows the errors of both.
    if not all([form.is_valid(), start_form.is_valid()]):
        return None
    starts_on = start_form.cleaned_data["starts_on"]
    if starts_on is None:
        replace_opening_week(location, form.week)
    elif form.week:
        save_future_week(location, starts_on, form.week)
    else:
        form.add_error(None, _("Enter hours for at least one day. If the location closes then, add a closing instead."))
        return None
    return [PlannedChange(location.organization, Cause.OUTSIDE_HOURS)]


def _copied_week(request: HttpRequest, copy_form: CopyForm, week: list[TimeRange]) -> WeekForm:
    """Return the form as submitted, with the hours of a day copied to others if the choice of days is valid."""
    if not copy_form.is_valid():
        return WeekForm(request.POST, week=week)
    given = copy_form.cleaned_data
    messages.info(request, _("The hours are copied. Save to keep them."))
    return WeekForm(with_day_copied(request.POST, given["copy_from"], given["copy_to"]), week=week)

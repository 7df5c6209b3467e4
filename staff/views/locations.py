"""Settings > Locations."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from staff.access import admin_only, current_organization
from staff.forms.hours import CopyForm, WeekForm, with_day_copied
from staff.forms.locations import LocationFilter, LocationForm
from staff.hours import TimeRange
from staff.locations.search import location_or_404, search_locations, with_staff_count
from staff.locations.week import opening_week_of, replace_opening_week
from staff.pagination import list_context


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
    if form.is_valid() and form.save_or_explain():
        messages.success(request, _("Saved."))
        return redirect("location-edit", location.pk)
    return render(request, "staff/locations/edit.html", {"form": form, "location": location, "name": name})


@require_http_methods(["GET", "POST"])
@admin_only
def location_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the weekly opening hours. *Copy* only fills in the form."""
    location = location_or_404(current_organization(request), pk)
    week = opening_week_of(location)
    if "copy" in request.POST:
        copy_form = CopyForm(request.POST)
        form = _copied_week(request, copy_form, week)
    else:
        copy_form = CopyForm()
        form = WeekForm(request.POST if request.method == "POST" else None, week=week)
        if form.is_bound and form.is_valid():
            replace_opening_week(location, form.week)
            messages.success(request, _("Saved."))
            return redirect("location-hours", location.pk)
    context = {
        "location": location,
        "name": location.name,
        "week_form": form,
        "copy_form": copy_form,
        "is_always_open": not week,
        "zone": location.time_zone.key.replace("_", " "),
    }
    return render(request, "staff/locations/hours.html", context)


def _copied_week(request: HttpRequest, copy_form: CopyForm, week: list[TimeRange]) -> WeekForm:
    """Return the form as submitted, with the hours of a day copied to others if the choice of days is valid."""
    if not copy_form.is_valid():
        return WeekForm(request.POST, week=week)
    given = copy_form.cleaned_data
    messages.info(request, _("The hours are copied. Save to keep them."))
    return WeekForm(with_day_copied(request.POST, given["copy_from"], given["copy_to"]), week=week)

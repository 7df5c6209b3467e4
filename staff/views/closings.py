"""Settings > Closings: overrides and public holidays of locations."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from staff.access import admin_only, current_organization
from staff.closings.closed_days import closed_days
from staff.closings.holiday_calendars import choice_of, set_holidays
from staff.closings.listing import closing_rows, holiday_rows
from staff.closings.overrides import add_closings, change_closing, remove_closing, upcoming_closings
from staff.forms.holidays import HolidayRegionForm, HolidaysForm
from staff.forms.overrides import ClosingForm
from staff.models import DateOverride, Location
from staff.pagination import list_context
from staff.views.planned_changes import save_hours

# Holidays are listed for the next year.
_DAYS_AHEAD = timedelta(days=366)


@require_http_methods(["GET", "POST"])
@admin_only
def closings(request: HttpRequest) -> HttpResponse:
    """List the closings and holidays of all locations, and add a closing."""
    organization = current_organization(request)
    locations = list(organization.locations.active())
    form = ClosingForm(request.POST if request.method == "POST" else None, locations=locations)
    if form.is_bound and form.is_valid():
        chosen = list(form.cleaned_data["locations"])
        saving = save_hours(request, form, partial(add_closings, chosen, form.values))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("closings"))
        if saving.page is not None:
            return saving.page
    today = timezone.localdate()
    page = list_context(request, upcoming_closings(organization))
    context = {
        "form": form,
        "locations": locations,
        "rows": closing_rows(page["page"]),
        "holidays": holiday_rows(closed_days(locations, today, today + _DAYS_AHEAD), len(locations)),
        **page,
    }
    return render(request, "staff/closings/list.html", context)


@require_http_methods(["GET", "POST"])
@admin_only
def closing_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a closing of one location."""
    override = _closing_or_404(request, pk)
    assert override.location is not None  # noqa: S101 - narrows the type for mypy
    data = request.POST if request.method == "POST" else None
    form = ClosingForm(data, locations=[override.location], override=override)
    if form.is_bound and form.is_valid():
        saving = save_hours(request, form, partial(change_closing, override, form.values))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("closings"))
        if saving.page is not None:
            return saving.page
    return render(request, "staff/closings/edit.html", {"form": form, "override": override})


@require_POST
@admin_only
def closing_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a closing of one location."""
    remove_closing(_closing_or_404(request, pk))
    messages.success(request, _("The closing is removed."))
    return redirect("closings")


@require_http_methods(["GET", "POST"])
@admin_only
def holidays(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the public holidays of a location, and copy the choice to others. GET previews another region or year."""
    organization = current_organization(request)
    location = get_object_or_404(organization.locations, pk=pk)
    choice = choice_of(location)
    data = request.POST if request.method == "POST" else None
    region = HolidayRegionForm(data or request.GET, choice=choice, location=location)
    others = list(organization.locations.active())
    form = HolidaysForm(data, region=region, choice=choice, location=location, locations=others)
    if form.is_bound and form.is_valid():
        chosen = list(form.cleaned_data["locations"])
        saving = save_hours(request, form, partial(set_holidays, chosen, form.choice))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("location-holidays", args=[location.pk]))
        if saving.page is not None:
            return saving.page
    context = {"form": form, "region": region, "location": location, "locations": others}
    return render(request, "staff/closings/holidays.html", context)


def _closing_or_404(request: HttpRequest, pk: int) -> DateOverride:
    locations = Location.objects.filter(organization=current_organization(request))
    overrides = DateOverride.objects.filter(location__in=locations).select_related("location")
    return get_object_or_404(overrides, pk=pk)

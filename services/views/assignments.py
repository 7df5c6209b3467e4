"""Pages of the assignments of staff members to services."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from services.assignments import set_providers, set_services, with_provides
from services.catalog import service_or_404
from services.forms import PlacesForm, ProviderFilter, ProvidersForm, ServicesOfPersonForm
from services.models import Service
from services.places import places_of, set_places
from staff.access import admin_only, current_member, current_organization
from staff.models import Location, StaffMember
from staff.pagination import list_context
from staff.people import person_or_404, search, visible_to
from staff.views.planned_changes import save_or_ask


@require_http_methods(["GET", "POST"])
@admin_only
def providers(request: HttpRequest, pk: int) -> HttpResponse:
    """Tab Staff of a service. Saving changes only the staff members shown, one page of the list at a time."""
    organization = current_organization(request)
    service = service_or_404(organization, pk)
    form = ProvidersForm(request.POST, organization=organization)
    if request.method == "POST" and form.is_valid():
        shown, provided_by = form.cleaned_data["shown"], form.cleaned_data["people"]
        saving = save_or_ask(request, partial(set_providers, service, among=shown, provided_by=provided_by))
        if saving.is_saved:
            return redirect(saving.next_page or request.get_full_path())
        if saving.page is not None:
            return saving.page
    elif request.method == "POST":
        messages.error(request, _("Some of these people are gone. Look at the list and save again."))
    return render(request, "services/staff.html", _providers_context(request, service))


def _providers_context(request: HttpRequest, service: Service) -> dict[str, Any]:
    filters = ProviderFilter(request.GET)
    people = with_provides(search(visible_to(current_member(request)), words=filters.words), service)
    rows = people.filter(**filters.wanted).select_related("location")
    return {
        "service": service,
        "name": service.name,
        "filters": filters,
        "how_many": service.assignments.count(),
        **list_context(request, rows),
    }


@require_http_methods(["GET", "POST"])
@admin_only
def services_of_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Tab Services of a staff member."""
    organization = current_organization(request)
    person = person_or_404(current_member(request), pk)
    provided = person.assignments.values_list("service_id", flat=True)
    sent = request.POST if request.method == "POST" else None
    form = ServicesOfPersonForm(sent, organization=organization, provided=provided)
    if request.method == "POST" and form.is_valid():
        saving = save_or_ask(request, partial(set_services, person, form.cleaned_data["services"]))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("staff-services", args=[person.pk]))
        if saving.page is not None:
            return saving.page
    return _person_page(request, person, form)


@require_http_methods(["GET", "POST"])
@admin_only
def places_of_services(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose where a staff member provides each service. GET, after a reload, shows the tab."""
    person = person_or_404(current_member(request), pk)
    if request.method == "GET":
        return redirect("staff-services", person.pk)
    places = places_of(person)
    form = _places_form(person, places, request.POST)
    if form.is_valid():
        set_places(person, form.chosen, among=places)
        messages.success(request, _("Saved."))
        return redirect("staff-services", person.pk)
    return _person_page(request, person, places_form=form)


def _person_page(
    request: HttpRequest,
    person: StaffMember,
    form: ServicesOfPersonForm | None = None,
    places_form: PlacesForm | None = None,
) -> HttpResponse:
    organization = current_organization(request)
    provided = person.assignments.values_list("service_id", flat=True)
    places = places_of(person)
    context = {
        "form": form or ServicesOfPersonForm(None, organization=organization, provided=provided),
        "person": person,
        "services": organization.services.by_category(),
        # With a single location, there is nothing to choose.
        "places_form": (places_form or _places_form(person, places)) if len(places) > 1 else None,
    }
    return render(request, "services/of_person.html", context)


def _places_form(person: StaffMember, places: Sequence[Location], data: Any = None) -> PlacesForm:
    assignments = person.assignments.select_related("service").prefetch_related("locations").order_by("service__name")
    return PlacesForm(data, assignments=list(assignments), places=places)

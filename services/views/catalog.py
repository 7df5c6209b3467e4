"""Pages to list, add and edit services, and the tab More."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from services.catalog import categories_of, search, service_or_404, with_list_columns
from services.forms import MeetingMethodForm, ServiceFilter, ServiceForm
from services.hooks import notices_of
from services.methods import offers_of, set_methods
from services.models import Service
from staff.access import admin_only, current_organization
from staff.pagination import list_context
from staff.views.planned_changes import save_form, save_or_ask


@require_GET
@admin_only
def service_list(request: HttpRequest) -> HttpResponse:
    """List the organisation's services by category."""
    filters = ServiceFilter(request.GET)
    services = current_organization(request).services.by_category()
    rows = with_list_columns(search(services, **filters.criteria))
    return render(request, "services/list.html", {"filters": filters, **list_context(request, rows)})


@require_http_methods(["GET", "POST"])
@admin_only
def add_service(request: HttpRequest) -> HttpResponse:
    """Add a service, then open its tab More: without a meeting method it cannot be booked."""
    organization = current_organization(request)
    form = ServiceForm(request.POST or None, instance=Service(organization=organization))
    if request.method == "POST" and form.is_valid() and form.save_or_explain():
        messages.success(request, _("Saved."))
        return redirect("service-more", form.instance.pk)
    context = {"form": form, "categories": categories_of(organization)}
    return render(request, "services/add.html", context)


@require_http_methods(["GET", "POST"])
@admin_only
def edit_service(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the details of a service."""
    organization = current_organization(request)
    service = service_or_404(organization, pk)
    name = service.name
    form = ServiceForm(request.POST or None, instance=service)
    if request.method == "POST" and form.is_valid():
        saving = save_or_ask(request, partial(save_form, form))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("service-edit", args=[service.pk]))
        if saving.page is not None:
            return saving.page
    context = {"form": form, "service": service, "name": name, "categories": categories_of(organization)}
    return render(request, "services/edit.html", context)


@require_http_methods(["GET", "POST"])
@admin_only
def more(request: HttpRequest, pk: int) -> HttpResponse:
    """Tab More: choose the meeting methods of a service."""
    service = service_or_404(current_organization(request), pk)
    offers = offers_of(service)
    form = MeetingMethodForm(request.POST if request.method == "POST" else None, offers=offers)
    if request.method == "POST" and form.is_valid():
        saving = save_or_ask(request, partial(set_methods, service, form.offers))
        if saving.is_saved:
            return redirect(saving.next_page or reverse("service-more", args=[service.pk]))
        if saving.page is not None:
            return saving.page
    context = {
        "form": form,
        "service": service,
        "name": service.name,
        "offers": offers,
        "notices": notices_of(service),
    }
    return render(request, "services/more.html", context)

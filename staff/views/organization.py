"""Settings > Organisation: the details of the organisation, and its logo."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from coconut.web.uploads import takes_small_file
from staff.access import admin_only, current_organization
from staff.branding.logos import remove_logo
from staff.forms.logo import LogoForm
from staff.forms.organization import OrganizationDetailsForm
from staff.models import Organization


@require_http_methods(["GET", "POST"])
@admin_only
def organization_settings(request: HttpRequest) -> HttpResponse:
    """Edit the details of the organisation."""
    organization = _own_organization(request)
    form = OrganizationDetailsForm(request.POST or None, instance=organization)
    if form.is_valid():
        form.save_details()
        messages.success(request, _("Saved."))
        return redirect("organization-settings")
    return _page(request, form, LogoForm())


@takes_small_file
@require_http_methods(["GET", "POST"])
@admin_only
def organization_logo(request: HttpRequest) -> HttpResponse:
    """Replace or remove the logo. GET, after a reload, shows the page."""
    organization = _own_organization(request)
    if request.method == "GET":
        return redirect("organization-settings")
    if "remove" in request.POST:
        remove_logo(organization)
        messages.success(request, _("The logo is removed."))
        return redirect("organization-settings")
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        form.save(organization)
        messages.success(request, _("The logo is saved."))
        return redirect("organization-settings")
    return _page(request, OrganizationDetailsForm(instance=organization), form)


def _own_organization(request: HttpRequest) -> Organization:
    """Return a second instance. A refused form changes it, and the navigation shows the name of the first."""
    return Organization.objects.get(pk=current_organization(request).pk)


def _page(request: HttpRequest, form: OrganizationDetailsForm, logo_form: LogoForm) -> HttpResponse:
    context = {"form": form, "logo_form": logo_form, "organization": form.instance}
    return render(request, "staff/organization.html", context)

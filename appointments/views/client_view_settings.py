"""Settings > Client View: its address, phone, embedding sites and snippet."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.client_view.settings import save_client_view_settings
from appointments.forms.client_view_settings import ClientViewSettingsForm
from appointments.views.responses import see_other
from staff.access import admin_only, current_organization


@require_http_methods(["GET", "POST"])
@admin_only
def client_view_settings(request: HttpRequest) -> HttpResponse:
    organization = current_organization(request)
    initial = {"embed_origins": organization.embed_origins, "phone": organization.phone}
    data = request.POST if request.method == "POST" else None
    form = ClientViewSettingsForm(data, initial=initial, region=organization.phone_region)
    if form.is_valid():
        save_client_view_settings(organization, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return see_other("client-view-settings")
    address = settings.BASE_URL + reverse("book", args=[organization.slug])
    context = {"form": form, "address": address, "organization": organization}
    return render(request, "appointments/client_view/settings.html", context)

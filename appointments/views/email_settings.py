"""Settings > Emails: reminders, and which emails are sent to clients and to staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.email_settings_models import OwnReminders
from appointments.forms.email_settings import EmailSettingsForm, ServiceRemindersForm
from appointments.notifications.settings import reminders_of, save_email_settings, save_service_reminders
from appointments.notifications.switches import switches_of
from appointments.views.responses import see_other
from services.models import Service
from staff.access import admin_only, current_organization


@require_http_methods(["GET", "POST"])
@admin_only
def email_settings(request: HttpRequest) -> HttpResponse:
    organization = current_organization(request)
    form = EmailSettingsForm(
        request.POST if request.method == "POST" else None,
        reminders=reminders_of(organization),
        switches=switches_of(organization.pk),
    )
    if form.is_valid():
        save_email_settings(organization, form.cleaned_data["reminders"], form.switches)
        messages.success(request, _("Saved."))
        return see_other("email-settings")
    services = Service.objects.filter(organization=organization).select_related("own_reminders").order_by("name")
    return render(request, "appointments/emails/settings.html", {"form": form, "services": services})


@require_http_methods(["GET", "POST"])
@admin_only
def service_reminders(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a service replace the organisation's reminders."""
    organization = current_organization(request)
    service = get_object_or_404(Service.objects.select_related("organization"), pk=pk, organization=organization)
    has_own = OwnReminders.objects.filter(service=service).exists()
    initial = {"has_own": has_own, "reminders": reminders_of(organization, service if has_own else None)}
    form = ServiceRemindersForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        chosen = form.cleaned_data
        save_service_reminders(service, chosen["reminders"], has_own=chosen["has_own"])
        messages.success(request, _("Saved."))
        return see_other("email-settings")
    return render(request, "appointments/emails/service.html", {"form": form, "service": service})

"""Settings > Emails: reminders, and which emails are sent to clients and to staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.email_settings_models import OwnReminders
from appointments.forms.email_settings import EmailSettingsForm, ServiceRemindersForm, TestEmailForm
from appointments.notifications.samples import send_sample
from appointments.notifications.settings import reminders_of, save_email_settings, save_service_reminders
from appointments.notifications.switches import switches_of
from appointments.views.responses import see_other
from coconut.rate_limits import Limit, is_within
from services.models import Service
from staff.access import admin_only, current_member, current_organization

_TEST_EMAILS = Limit("test-emails", times=30, seconds=60 * 60)


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
    return _render_settings(request, form, TestEmailForm())


def _render_settings(
    request: HttpRequest, form: EmailSettingsForm, test_form: TestEmailForm, status: int = 200
) -> HttpResponse:
    organization = current_organization(request)
    services = Service.objects.filter(organization=organization).select_related("own_reminders").order_by("name")
    context = {"form": form, "test_form": test_form, "services": services}
    return render(request, "appointments/emails/settings.html", context, status=status)


@require_POST
@admin_only
def send_test_email(request: HttpRequest) -> HttpResponse:
    """Send the admin a chosen email about a made-up appointment."""
    member, organization = current_member(request), current_organization(request)
    test_form = TestEmailForm(request.POST)
    if test_form.is_valid() and not is_within((_TEST_EMAILS, member.pk)):
        test_form.add_error(None, _("You have sent yourself many test emails. Wait an hour, then go on."))
    if not test_form.is_valid():
        form = EmailSettingsForm(reminders=reminders_of(organization), switches=switches_of(organization.pk))
        return _render_settings(request, form, test_form)
    send_sample(member, test_form.kind, test_form.audience)
    messages.success(request, _("We’ll email it to %(email)s.") % {"email": member.email})
    return see_other("email-settings")


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

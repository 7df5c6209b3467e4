"""Erase and export a client, and Settings > Privacy."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from appointments.audit import record_client_export
from appointments.models import Client
from appointments.privacy.erasure import NotErasable, check_erasable, erase_client, upcoming_appointments
from appointments.privacy.export import export_client
from appointments.privacy.forms import RetentionForm
from appointments.privacy.retention import expired_clients, save_retention
from appointments.views.responses import see_other
from staff.access import admin_only, current_member, current_organization

_APPOINTMENTS_SHOWN = 10


@require_http_methods(["GET", "POST"])
@admin_only
def client_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm; then erase. A client who can't be erased yet gets the reason instead of the button."""
    client = get_object_or_404(current_organization(request).clients, pk=pk)
    if request.method == "POST":
        try:
            erase_client(client, actor=current_member(request))
        except Client.DoesNotExist:
            raise Http404 from None
        except NotErasable:
            return _render_erase_page(request, client)
        messages.success(request, _("The client’s data was erased."))
        return see_other("client-list")
    return _render_erase_page(request, client)


@require_safe
@admin_only
def client_export(request: HttpRequest, pk: int) -> HttpResponse:
    """Download what is stored about the client, as JSON."""
    client = get_object_or_404(current_organization(request).clients.select_related("organization"), pk=pk)
    record_client_export(client)
    return JsonResponse(
        export_client(client),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={
            "Content-Disposition": f'attachment; filename="client-{client.pk}.json"',
            "Cache-Control": "private, no-store",
        },
    )


@require_http_methods(["GET", "POST"])
@admin_only
def privacy_settings(request: HttpRequest) -> HttpResponse:
    """Set the retention period. A period that would erase clients is saved once the admin has read how many."""
    organization = current_organization(request)
    stored = organization.retention_months
    form = RetentionForm(request.POST if request.method == "POST" else None, initial={"months": stored})
    context = {"form": form, "stored": stored}
    if form.is_valid():
        months = form.cleaned_data["months"]
        is_confirmed = request.POST.get("confirmed") == str(months)
        number = 0 if months in (None, stored) or is_confirmed else expired_clients(organization, months).count()
        if not number:
            save_retention(organization, months)
            messages.success(request, _("Saved."))
            return see_other("privacy-settings")
        context |= {"months": months, "would_be_erased": number}
    elif stored is not None:
        context["expired"] = expired_clients(organization, stored).count()
    return render(request, "appointments/privacy/settings.html", context)


def _render_erase_page(request: HttpRequest, client: Client) -> HttpResponse:
    upcoming = upcoming_appointments(client)
    context = {
        "client": client,
        "reason": _reason_to_keep(client),
        "upcoming": upcoming[:_APPOINTMENTS_SHOWN],
        "kept": client.appointments.count(),
    }
    return render(request, "appointments/privacy/erase.html", context)


def _reason_to_keep(client: Client) -> str:
    """Return why the client can't be erased yet, or an empty string."""
    try:
        check_erasable(client)
    except NotErasable as error:
        return error.sentence
    return ""

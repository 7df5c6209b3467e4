"""Merge two clients: search for the other one, compare both, confirm."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from appointments.changes.client_merge import NotMergeable, merge_clients
from appointments.clients import find_clients, possible_duplicates
from appointments.forms.clients import ClientFilter, MergeForm
from appointments.models import Client
from appointments.parameters import find_by_id
from appointments.views.responses import see_other
from staff.access import current_organization, schedulers_only

_CLIENTS_SHOWN = 10


@require_http_methods(["GET", "POST"])
@schedulers_only
def client_merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Show clients to merge with, or the two clients side by side; then merge."""
    clients = current_organization(request).clients
    client = get_object_or_404(clients.select_related("organization"), pk=pk)
    chosen = request.POST.get("with") or request.GET.get("with", "")
    other = find_by_id(clients.exclude(pk=pk), chosen)
    if other is None:
        if chosen:
            messages.error(
                request, _("One of the two clients was erased or merged meanwhile. Search for the client again.")
            )
        return _render_choice(request, client)
    form = MergeForm(request.POST if request.method == "POST" else None, kept=client, other=other)
    if form.is_valid():
        try:
            moved = merge_clients(client, other, from_other=form.from_other)
        except NotMergeable as error:
            messages.error(request, error.sentence)
            return see_other("client-list")
        messages.success(request, _merged_sentence(moved))
        return see_other("client-edit", client.pk)
    numbers = {"kept_appointments": client.appointments.count(), "other_appointments": other.appointments.count()}
    return render(
        request, "appointments/clients/merge.html", {"form": form, "client": client, "other": other, **numbers}
    )


def _render_choice(request: HttpRequest, client: Client) -> HttpResponse:
    """Render the possible duplicates, or the clients that match the search."""
    filters = ClientFilter(request.GET)
    search = filters.cleaned_data["q"] if filters.is_valid() else ""
    if search:
        found = list(find_clients(client.organization, search).exclude(pk=client.pk)[:_CLIENTS_SHOWN])
    else:
        details = {"name": client.name, "email": client.email, "phone": client.phone}
        found = [each for each in possible_duplicates(client.organization, **details) if each != client]
    context = {"client": client, "found": found, "search": search}
    return render(request, "appointments/clients/merge_choice.html", context)


def _merged_sentence(moved: int) -> str:
    sentence = ngettext(
        "The clients are merged. %(number)d appointment moved to this client.",
        "The clients are merged. %(number)d appointments moved to this client.",
        moved,
    )
    return sentence % {"number": moved}

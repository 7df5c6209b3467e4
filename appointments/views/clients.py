"""Clients of an organisation, with their appointments."""

from __future__ import annotations

from copy import copy

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking_rules.errors import ChangedMeanwhile
from appointments.changes.client_details import save_client
from appointments.clients import appointments_of, find_clients
from appointments.forms.clients import ClientFilter, ClientForm, NewClientForm
from appointments.models import Client
from appointments.notifications.bounces import bounce_sentence
from appointments.views.responses import see_other
from staff.access import current_member, current_organization, schedulers_only
from staff.pagination import list_context


@require_safe
@schedulers_only
def client_list(request: HttpRequest) -> HttpResponse:
    filters = ClientFilter(request.GET)
    search = filters.cleaned_data["q"] if filters.is_valid() else ""
    rows = find_clients(current_organization(request), search)
    context = {"filters": filters, "searched": bool(search), **list_context(request, rows)}
    return render(request, "appointments/clients/list.html", context)


@require_http_methods(["GET", "POST"])
@schedulers_only
def add_client(request: HttpRequest) -> HttpResponse:
    form = NewClientForm(request.POST or None, instance=Client(organization=current_organization(request)))
    if request.method == "POST" and form.is_valid():
        client = form.save()
        messages.success(request, _("Saved."))
        return see_other("client-edit", client.pk)
    return render(request, "appointments/clients/add.html", {"form": form})


@require_http_methods(["GET", "POST"])
@schedulers_only
def edit_client(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a client, next to a list of their appointments."""
    clients = current_organization(request).clients
    client = clients.filter(pk=pk).first()
    if client is None:
        # Bookmarks and the audit log still name a merged client.
        return see_other("client-edit", get_object_or_404(clients, merged_clients=pk).pk)
    # The form changes its instance, but the heading shows the stored name.
    stored = copy(client)
    form = ClientForm(request.POST or None, instance=client)
    if request.method == "POST" and form.is_valid():
        try:
            relinked = save_client(client, actor=current_member(request))
        except Client.DoesNotExist as error:
            raise Http404 from error
        except ChangedMeanwhile as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, _saved_sentence(client, relinked))
            return see_other("client-edit", client.pk)
    context = {
        "form": form,
        "client": stored,
        "bounce_sentence": bounce_sentence(stored),
        "others": clients.with_email(stored.email).exclude(pk=pk)[:5],
        **list_context(request, appointments_of(client)),
    }
    return render(request, "appointments/clients/edit.html", context)


def _saved_sentence(client: Client, relinked: int) -> str:
    if not relinked:
        return _("Saved.")
    if not client.email:
        return _("Saved. The links in earlier emails no longer work.")
    sentence = ngettext(
        "Saved. %(number)d upcoming appointment has new links, which go to %(email)s. "
        "The earlier links no longer work.",
        "Saved. %(number)d upcoming appointments have new links, which go to %(email)s. "
        "The earlier links no longer work.",
        relinked,
    )
    return sentence % {"number": relinked, "email": client.email}

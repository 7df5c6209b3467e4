"""Load the connection that a page shows, and check that it is still connected."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from integrations.models import Connection
from staff.access import current_organization

P = ParamSpec("P")
ConnectionView = Callable[Concatenate[HttpRequest, Connection, P], HttpResponse]


def connection_or_404(request: HttpRequest, pk: int) -> Connection:
    """Return a connection of the current organisation, live or disconnected. Http404 for any other."""
    return get_object_or_404(Connection, pk=pk, organization=current_organization(request))


def with_connection(view: ConnectionView[P]) -> Callable[..., HttpResponse]:
    """Pass the connection with the id `pk` to the view. Http404 if the organisation has no such connection."""

    @wraps(view)
    def load_connection(request: HttpRequest, /, pk: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, connection_or_404(request, pk), *args, **kwargs)

    return load_connection


def while_connected(view: ConnectionView[P]) -> Callable[..., HttpResponse]:
    """Pass the connection to the view; if it is disconnected, redirect to its page with a message."""

    @wraps(view)
    def redirect_if_disconnected(
        request: HttpRequest, connection: Connection, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if connection.is_live:
            return view(request, connection, *args, **kwargs)
        messages.info(request, _("%(name)s is disconnected already.") % {"name": connection.name})
        if is_htmx(request):
            return HttpResponseClientRedirect(reverse("connection", args=[connection.pk]))
        return redirect("connection", connection.pk)

    return with_connection(redirect_if_disconnected)


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx requested a part of the page. After Back, htmx requests the whole page."""
    htmx = cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request

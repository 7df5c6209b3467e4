"""Which connection a page is about, and whether it is still connected."""

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

from integrations.models import Connection
from staff.access import current_organization

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def connection_or_404(request: HttpRequest, pk: int) -> Connection:
    """The connection, disconnected or not; another organisation's does not exist."""
    return get_object_or_404(Connection, pk=pk, organization=current_organization(request))


def while_connected(view: View[P]) -> View[P]:
    """For what makes no sense once a connection was disconnected: its page says that it was."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        connection = connection_or_404(request, cast(int, kwargs["pk"]))
        if connection.is_live:
            return view(request, *args, **kwargs)
        messages.info(request, _("%(name)s is disconnected already.") % {"name": connection.name})
        if "HX-Request" in request.headers:
            return HttpResponseClientRedirect(reverse("connection", args=[connection.pk]))
        return redirect("connection", connection.pk)

    return guarded

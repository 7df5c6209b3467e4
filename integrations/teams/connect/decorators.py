"""Decorators and responses of the pages that lead to Microsoft."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.addons import TEAMS
from integrations.teams.connect.runs import RunExpired
from integrations.teams.connect.store import NotOffered
from integrations.teams.entra import sign_in
from staff.access import admin_only, current_organization

_REDIRECTED_PARAM = "from-another-host"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def connect_page(view: View[P]) -> View[P]:
    """Restrict a page to admins, to an installation with an app registration, and to the host of BASE_URL."""

    @never_cache
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not _is_at_base_url(request) and _REDIRECTED_PARAM not in request.GET:
            # Microsoft redirects to BASE_URL, which can't read another host's session cookie.
            # Redirect only once: behind a proxy, the host of the request may never equal BASE_URL.
            query = "&".join(filter(None, [request.META.get("QUERY_STRING", ""), _REDIRECTED_PARAM]))
            return redirect(f"{settings.BASE_URL}{request.path}?{query}")
        return configured(request, *args, **kwargs)

    @admin_only
    def configured(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not sign_in.is_configured():
            return render(request, "teams/not_configured.html")
        return view(request, *args, **kwargs)

    return guarded


def wizard_page(view: View[P]) -> View[P]:
    """Restrict a page as `connect_page` does, and to organisations with the Teams add-on.

    An expired run leads to the first question.
    """

    @wraps(view)
    def offered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not current_organization(request).has_addon(TEAMS.slug):
            raise PermissionDenied(str(NotOffered()))
        try:
            return view(request, *args, **kwargs)
        except RunExpired as problem:
            messages.warning(request, str(problem))
            return redirect("teams-policy")

    return connect_page(offered)


def form_data(request: HttpRequest) -> QueryDict | None:
    """Return the data that a form is bound to, None on GET."""
    return request.POST if request.method == "POST" else None


def see_other(address: str) -> HttpResponse:
    """Redirect with status 303 after a POST."""
    return HttpResponseRedirect(address, status=303)


def with_next_step(problem: PlatformError, *, reauthorizing: bool = False) -> str:
    """Return the problem's sentence, and how to try again if an admin can."""
    if problem.kind == ErrorKind.OPERATOR:
        return str(problem)
    if reauthorizing:
        return f"{problem} {_('Nothing was changed. You can start again.')}"
    again = _("Nothing was connected. Your answers are still here: continue to try again.")
    return f"{problem} {again}"


def _is_at_base_url(request: HttpRequest) -> bool:
    base = urlsplit(settings.BASE_URL)
    requested = urlsplit(f"{base.scheme}://{request.get_host()}")
    default_port = 443 if base.scheme == "https" else 80
    return (requested.hostname, requested.port or default_port) == (base.hostname, base.port or default_port)

"""What the pages that lead to Microsoft have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.addons import TEAMS
from integrations.teams.connect.store import NotOffered
from integrations.teams.entra import sign_in
from integrations.teams.entra.tenants import sign_in_origin
from staff.access import admin_only, current_organization

_SENT_HERE = "from-another-host"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def leads_to_microsoft(view: View[P]) -> View[P]:
    """A page for admins, at the address that Microsoft sends people back to."""

    @never_cache
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not _is_at_base_url(request) and _SENT_HERE not in request.GET:
            # The session of another host would not see the way back. Once only: a proxy may hide the host.
            return redirect(f"{settings.BASE_URL}{request.path}?{_SENT_HERE}")
        return configured(request, *args, **kwargs)

    @admin_only
    def configured(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not sign_in.is_configured():
            return render(request, "teams/not_configured.html")
        return view(request, *args, **kwargs)

    return guarded


def wizard_page(view: View[P]) -> View[P]:
    """A page of the wizard: as `leads_to_microsoft`, and only with the add-on."""

    @wraps(view)
    def offered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not current_organization(request).has_addon(TEAMS.slug):
            raise PermissionDenied(str(NotOffered()))
        return view(request, *args, **kwargs)

    return leads_to_microsoft(offered)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to."""
    return request.POST if request.method == "POST" else None


def see_other(address: str) -> HttpResponse:
    """The way on after a POST."""
    return HttpResponseRedirect(address, status=303)


def render_exit(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """A page whose form ends at Microsoft: browsers check `form-action` for the redirect as well."""
    response = render(request, template, context)
    with_origin = csp_update({"form-action": [sign_in_origin()]})
    return cast(HttpResponse, with_origin(lambda _request: response)(request))


def with_what_next(problem: PlatformError, *, reauthorizing: bool = False) -> str:
    """The problem, and that nothing is lost by it."""
    if problem.kind == ErrorKind.OPERATOR:
        return problem.sentence
    if reauthorizing:
        return f"{problem.sentence} {_('Nothing was changed. You can start again.')}"
    again = _("Nothing was connected. Your answers are still here: continue to try again.")
    return f"{problem.sentence} {again}"


def _is_at_base_url(request: HttpRequest) -> bool:
    wanted = urlsplit(settings.BASE_URL)
    asked = urlsplit(f"{wanted.scheme}://{request.get_host()}")
    usual = 443 if wanted.scheme == "https" else 80
    return (asked.hostname, asked.port or usual) == (wanted.hostname, wanted.port or usual)

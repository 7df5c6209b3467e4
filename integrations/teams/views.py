"""The connect wizard and the way back from Microsoft."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast
from urllib.parse import urlencode, urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from integrations.connections import AlreadyConnected
from integrations.models import Connection
from integrations.platforms import ErrorKind, PlatformError
from integrations.teams import login, wizard
from integrations.teams.connecting import NotOffered, connect_service_account
from integrations.teams.entra_errors import refused_return
from integrations.teams.forms import MatchFieldForm, TenantForm
from integrations.teams.tenants import TenantProblem, sign_in_origin
from staff.access import admin_only, current_member, current_organization

_SENT_HERE = "from-another-host"
View = Callable[[HttpRequest], HttpResponse]


def wizard_page(view: View) -> View:
    """Pages of the wizard: for admins with the add-on, at the address that Microsoft sends people back to."""

    @never_cache
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not _is_at_base_url(request) and _SENT_HERE not in request.GET:
            # The session of another host would not see the way back. Once only: a proxy may hide the host.
            return redirect(f"{settings.BASE_URL}{request.path}?{_SENT_HERE}")
        return offered(request)

    @admin_only
    def offered(request: HttpRequest) -> HttpResponse:
        if not current_organization(request).teams_addon:
            raise PermissionDenied(str(NotOffered()))
        if not login.is_configured():
            return render(request, "teams/not_configured.html")
        return view(request)

    return guarded


@wizard_page
def connect(request: HttpRequest) -> HttpResponse:
    """First question: which field holds the UPN."""
    form = MatchFieldForm(_posted(request), initial=wizard.answers(request.session))
    if form.is_valid():
        wizard.remember(request.session, match_field=form.cleaned_data["match_field"])
        return _see_other(reverse("teams-tenant"))
    member = current_member(request)
    return render(request, "teams/connect.html", {"form": form, "example": member})


@wizard_page
def tenant(request: HttpRequest) -> HttpResponse:
    """Second question: which tenant; then off to Microsoft."""
    known = wizard.answers(request.session)
    if "match_field" not in known:
        return redirect("teams-connect")
    form = TenantForm(_posted(request), initial=known)
    if form.is_valid():
        typed = form.cleaned_data["tenant"]
        wizard.remember(request.session, tenant=typed)
        try:
            return _see_other(wizard.start_sign_in(request.session, typed))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, _with_what_next(problem))
    return _page_that_leads_to_microsoft(request, "teams/tenant.html", {"form": form})


@never_cache
@require_GET
@login_not_required
def callback(request: HttpRequest) -> HttpResponse:
    """The way back from Microsoft. Its query holds a code: it is never passed on, not even to the sign-in page."""
    if request.user.is_authenticated:
        return _finish(request)
    messages.warning(
        request,
        _("You were signed out of Coconut meanwhile, so nothing was connected. Sign in and start again."),
    )
    return redirect(f"{reverse('login')}?{urlencode({'next': reverse('teams-connect')})}")


@admin_only
def _finish(request: HttpRequest) -> HttpResponse:
    try:
        connection = _connect(request)
    except wizard.AttemptGone as problem:
        return _back_to_wizard(request, f"{problem} {_('Start again with Continue.')}")
    except PlatformError as problem:
        return _back_to_wizard(request, _with_what_next(problem))
    except (AlreadyConnected, NotOffered) as problem:
        messages.error(request, str(problem))
        return redirect("video-calls")
    wizard.forget(request.session)
    messages.success(request, _connected_words(connection))
    return redirect("connection", pk=connection.pk)


def _connect(request: HttpRequest) -> Connection:
    attempt = wizard.take_attempt(request.session, request.GET.get("state", ""))
    if "error" in request.GET or "code" not in request.GET:
        raise refused_return(request.GET)
    return connect_service_account(
        current_organization(request),
        current_member(request),
        attempt.answers,
        attempt.flow,
        request.GET.dict(),
    )


def _connected_words(connection: Connection) -> str:
    return _(
        "Microsoft Teams is connected. The account %(account)s appears as a participant in every meeting."
    ) % {"account": connection.teams.account_upn}


def _back_to_wizard(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("teams-tenant")


def _with_what_next(problem: PlatformError) -> str:
    if problem.kind == ErrorKind.OPERATOR:
        return problem.sentence
    return f"{problem.sentence} {_try_again()}"


def _try_again() -> str:
    return _("Nothing was connected. Your answers are still here: continue to try again.")


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=303)


def _page_that_leads_to_microsoft(
    request: HttpRequest, template: str, context: dict[str, object]
) -> HttpResponse:
    """A page whose form ends at Microsoft: browsers check `form-action` for the redirect as well."""
    response = render(request, template, context)
    with_origin = csp_update({"form-action": [sign_in_origin()]})
    return cast(HttpResponse, with_origin(lambda _request: response)(request))


def _is_at_base_url(request: HttpRequest) -> bool:
    wanted = urlsplit(settings.BASE_URL)
    asked = urlsplit(f"{wanted.scheme}://{request.get_host()}")
    usual = 443 if wanted.scheme == "https" else 80
    return (asked.hostname, asked.port or usual) == (wanted.hostname, wanted.port or usual)

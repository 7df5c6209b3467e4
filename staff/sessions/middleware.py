"""Middleware that ends sessions, and sends signed-out people to the sign-in page and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from staff.audit_log.kinds import SESSION_ENDED
from staff.audit_log.record import record
from staff.models import StaffMember
from staff.sessions.current import current_session, end_session, touch_session
from staff.sessions.limits import EndReason, end_sentence, limits_of, reason_to_end

#: Sent by scripts with requests that no person caused. static/coconut/coconut.js adds it to polls of htmx.
POLL_HEADER: Final = "X-Poll"


class SessionLimitMiddleware:
    """Ends a session that is too old or idle. Polls are no activity."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, StaffMember):
            _check_session(request, request.user)
        return self.get_response(request)


def _check_session(request: HttpRequest, member: StaffMember) -> None:
    session = current_session(request)
    reason = reason_to_end(session, member)
    if reason:
        _sign_out(request, member, reason)
        messages.info(request, end_sentence(reason, member))
    elif session is not None and POLL_HEADER not in request.headers:
        touch_session(request, session)


def _sign_out(request: HttpRequest, member: StaffMember, reason: EndReason) -> None:
    with transaction.atomic():
        # Of several requests at the same time, only one deletes the row.
        if end_session(request):
            record(SESSION_ENDED, member, actor=member, params={"reason": reason, **limits_of(member)})
    # Without a user, Django's signal reports no sign-out by the person.
    request.user = AnonymousUser()
    logout(request)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends signed-out people to the sign-in page, which leads back to the page where they were.

    A script gets 401 with the address of the sign-in page in HX-Redirect, because it must leave the whole page.
    """

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponse:
        _explain_end(request)
        page, login_url = page_of(request), resolve_url(self.get_login_url(view_func))
        if not _is_from_script(request):
            return redirect_to_login(page, login_url)
        address = f"{login_url}?{urlencode({'next': page}, safe='/')}"
        return HttpResponse(status=401, headers={"HX-Redirect": address, "WWW-Authenticate": "Session"})


def page_of(request: HttpRequest) -> str:
    """Return the path of the page that the person sees: for a part of a page or a form, the page around it."""
    # A path that begins with two slashes would be the address of another site.
    return escape_leading_slashes(_page_around(request))


def _page_around(request: HttpRequest) -> str:
    if _htmx_of(request):
        try:
            return _htmx_of(request).current_url_abs_path or resolve_url("home")
        except ValueError:
            # The header isn't a URL.
            return resolve_url("home")
    if request.method in ("GET", "HEAD") and not _is_from_script(request):
        return request.get_full_path()
    # A form may lead to a URL that only takes POST.
    return _referring_page(request) or resolve_url("home")


def _referring_page(request: HttpRequest) -> str:
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(referrer)
    return parts._replace(scheme="", netloc="", fragment="").geturl()


def _is_from_script(request: HttpRequest) -> bool:
    return bool(_htmx_of(request)) or request.headers.get("X-Requested-With") == "XMLHttpRequest"


def _htmx_of(request: HttpRequest) -> HtmxDetails:
    return cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]


def _explain_end(request: HttpRequest) -> None:
    """Say on the sign-in page that a session ended, unless a more exact sentence is waiting there."""
    had_session = settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.is_empty()
    if had_session and not len(messages.get_messages(request)):
        messages.info(request, _("Your session has ended. Sign in again."))

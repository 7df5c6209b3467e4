"""Who is asking, and what they may reach. An id from another organisation is a 404, a missing right is a 403."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from staff.models import Organization, Role, StaffMember

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class MemberBackend(ModelBackend):
    """Sign in by e-mail; the organisation and location come with the person, as every page needs them."""

    def get_user(self, user_id: Any) -> StaffMember | None:
        members = StaffMember.objects.active().select_related("organization", "location")
        return members.filter(pk=user_id).first()


class OrganizationMiddleware:
    """Show times in the zone of whoever is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)


class NoStoreMiddleware:
    """What a signed-in person sees stays on no shared desk: after the sign-out, Back finds nothing.

    A response that says itself what may be kept, such as one with an ETag that is polled, is left as it is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Asked before the view, as signing out makes a visitor of the person.
        is_private = request.user.is_authenticated
        response = self.get_response(request)
        if is_private:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def current_member(request: HttpRequest) -> StaffMember:
    """The signed-in person. PermissionDenied for visitors and for operators, who have no organisation."""
    if not isinstance(request.user, StaffMember) or request.user.organization is None:
        raise PermissionDenied(_("This page is for the staff of an organisation. Sign in as one of them."))
    return request.user


def current_organization(request: HttpRequest) -> Organization:
    """The organisation of the signed-in person. PermissionDenied as `current_member`."""
    organization = current_member(request).organization
    if organization is None:
        raise PermissionDenied
    return organization


def _only(allowed: Callable[[StaffMember], bool], sentence: str) -> Callable[[View[P]], View[P]]:
    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not allowed(current_member(request)):
                raise PermissionDenied(_(sentence))
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def admin_only(view: View[P]) -> View[P]:
    """Let only admins in; others get a 403 with a sentence."""
    return _only(
        lambda member: member.is_admin, "Only admins can open this page. Ask an admin of your organisation."
    )(view)


def schedulers_only(view: View[P]) -> View[P]:
    """Let only admins and schedulers in; others get a 403 with a sentence."""
    return _only(
        lambda member: member.can_schedule,
        "Only schedulers and admins can open this page. Ask an admin of your organisation.",
    )(view)


def not_for_schedulers(view: View[P]) -> View[P]:
    """Let admins and staff in, as for the pages about staff; schedulers get a 403 with a sentence."""
    return _only(
        lambda member: member.role != Role.SCHEDULER,
        "Schedulers have no pages about staff. Ask an admin of your organisation.",
    )(view)

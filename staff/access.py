"""The signed-in staff member, and what they can access.

An id of another organisation is a 404, a missing right is a 403 with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.backends import AllowAllUsersModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from staff.clock import override_clock
from staff.models import Clock, Organization, Role, StaffMember

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class MemberBackend(AllowAllUsersModelBackend):
    """Load the signed-in staff member with organisation and location, which every page needs.

    The sign-in forms refuse accounts that are switched off. If the backend did, the forms would have to check the
    password once more to give the reason. The time that this takes would reveal the account.
    """

    def get_user(self, user_id: Any) -> StaffMember | None:
        members = StaffMember.objects.select_related("organization", "location")
        try:
            return members.get(pk=user_id, is_active=True)
        except StaffMember.DoesNotExist:
            return None


class OrganizationMiddleware:
    """Activate the time zone of the signed-in staff member, and the clock of the organisation."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        organization = request.user.organization
        clock = organization.clock if organization else Clock.HOURS_24
        with timezone.override(request.user.zone), override_clock(clock):
            return self.get_response(request)


class NoStoreMiddleware:
    """Keep pages out of the browser's cache, so that on a shared desk Back shows nothing after a sign-out.

    A response with its own Cache-Control, such as a polled one with an ETag, stays as it is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Read before the view runs, because it may sign the user out.
        is_private = request.user.is_authenticated
        response = self.get_response(request)
        if is_private:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def current_member(request: HttpRequest) -> StaffMember:
    """Return the signed-in staff member. Raises PermissionDenied for visitors, and for operators."""
    if not isinstance(request.user, StaffMember) or request.user.organization is None:
        raise PermissionDenied(_("This page is for the staff of an organisation. Sign in as one of them."))
    return request.user


def current_organization(request: HttpRequest) -> Organization:
    """Return the organisation of the signed-in staff member. Raises PermissionDenied as `current_member` does."""
    organization = current_member(request).organization
    if organization is None:
        raise PermissionDenied
    return organization


def _restrict(allowed: Callable[[StaffMember], bool], sentence: str) -> Callable[[View[P]], View[P]]:
    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not allowed(current_member(request)):
                raise PermissionDenied(_(sentence))
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def admin_only(view: View[P]) -> View[P]:
    """Restrict a view to admins."""
    return _restrict(
        lambda member: member.is_admin, "Only admins can open this page. Ask an admin of your organisation."
    )(view)


def schedulers_only(view: View[P]) -> View[P]:
    """Restrict a view to admins and schedulers."""
    return _restrict(
        lambda member: member.can_schedule,
        "Only schedulers and admins can open this page. Ask an admin of your organisation.",
    )(view)


def not_for_schedulers(view: View[P]) -> View[P]:
    """Restrict a view to admins and staff, as on the pages of staff members."""
    return _restrict(
        lambda member: member.role != Role.SCHEDULER,
        "Schedulers have no pages about staff. Ask an admin of your organisation.",
    )(view)

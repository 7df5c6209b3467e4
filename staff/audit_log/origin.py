"""The person and the client address behind the current request.

Functions that change something don't pass the request down to the audit log. So an event can't lack its origin because
one caller forgot it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from coconut.rate_limits import client_address
from staff.models import StaffMember

_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)


class OriginMiddleware:
    """Remembers the request while it is being answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def current_actor() -> StaffMember | None:
    """Return the signed-in person, or None for visitors, tasks and commands."""
    user = getattr(_request.get(), "user", None)
    return user if isinstance(user, StaffMember) else None


def current_address() -> str:
    """Return the client's address, or "" for tasks and commands."""
    request = _request.get()
    return client_address(request) if request is not None else ""

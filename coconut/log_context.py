"""What every line of a log says beside its message: the request or task it belongs to, and whose it was.

A request gets an id when it comes in, or keeps the one a proxy gave it. Tasks that it sends carry the id along, so that
a booking and the making of its link are found by one search.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from secrets import token_hex
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=_NOTHING)
_request: ContextVar[HttpRequest | None] = ContextVar("log_request", default=None)


def begin(**fields: Any) -> None:
    """From here on every line of this thread has these fields, and no others."""
    _fields.set(fields)


def end(**kwargs: Any) -> None:
    """What follows belongs to no request and no task."""
    _fields.set(_NOTHING)
    _request.set(None)


def request_id() -> str:
    """The id of the request that is being answered, or that a task goes back to; "" where there is none."""
    known: str = _fields.get().get("request_id", "")
    return known


class RequestIdMiddleware:
    """Gives every request its id, and says it in the answer's X-Request-ID.

    Nothing is forgotten on the way out: Django and gunicorn have lines to write about the request after that.
    `end` is called when it has been answered (`coconut.apps`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        known = given if _WELL_FORMED.fullmatch(given) else token_hex(16)
        begin(request_id=known)
        _request.set(request)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = known
        return response


class ContextFilter(logging.Filter):
    """Adds the fields to a line; what the line says itself goes before."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields = {**_organization(), **_fields.get()}
        for name, value in fields.items():
            record.__dict__.setdefault(name, value)
        if "request_id" in fields:
            record.of_request = f" [request {fields['request_id']}]"
        return True


def _organization() -> Mapping[str, Any]:
    """Whose request it is, where that is known by now: a line of a log asks the database nothing."""
    user = getattr(_request.get(), "_cached_user", None)
    organization_id = getattr(user, "organization_id", None)
    return _NOTHING if organization_id is None else {"organization_id": organization_id}

"""Fields of every log record: the request or task that it belongs to, its user and organisation.

Each request gets an id. Its tasks carry the id too, so that one search finds a booking and the creation of its link. An
id that a proxy or visitor sent is only logged beside it: visitors could send the id of another request.
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

_NO_FIELDS: Final[Mapping[str, Any]] = MappingProxyType({})
_VALID_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=_NO_FIELDS)
_request: ContextVar[HttpRequest | None] = ContextVar("log_request", default=None)


def begin(**fields: Any) -> None:
    """Set the fields of this thread's log records."""
    _fields.set(fields)


def end(**kwargs: Any) -> None:
    """Remove the fields, after a request or task."""
    _fields.set(_NO_FIELDS)
    _request.set(None)


def request_id() -> str:
    """Return the id of the current request, or of the request that sent the current task; "" if there is none."""
    known: str = _fields.get().get("request_id", "")
    return known


class RequestIdMiddleware:
    """Sets the request id, and returns it in X-Request-ID.

    The fields stay after the response, because Django and gunicorn log the request later. `coconut.apps` connects `end`
    to `request_finished`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        fields = {"request_id": token_hex(16)}
        forwarded = request.META.get("HTTP_X_REQUEST_ID", "")
        if _VALID_ID.fullmatch(forwarded):
            fields["forwarded_request_id"] = forwarded
        begin(**fields)
        _request.set(request)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = fields["request_id"]
        return response


class ContextFilter(logging.Filter):
    """Adds the fields to a record. The record's own fields take precedence."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields = {**_user(), **_fields.get()}
        for name, value in fields.items():
            record.__dict__.setdefault(name, value)
        if "request_id" in fields:
            user = f" user {fields['user_id']}" if "user_id" in fields else ""
            record.request_suffix = f" [request {fields['request_id']}{user}]"
        return True


def _user() -> Mapping[str, Any]:
    """Return user and organisation of the request if its user is loaded already: logging must not query the database.

    Visitors have neither, operators no organisation.
    """
    user = getattr(_request.get(), "_cached_user", None)
    ids = {"user_id": getattr(user, "pk", None), "organization_id": getattr(user, "organization_id", None)}
    return {name: value for name, value in ids.items() if value is not None}

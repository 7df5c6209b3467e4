"""Refuse requests in another charset than UTF-8.

Django reads the body in the charset that its Content-Type names. Some make it fail where it can't show the error page:
in the CSRF check, or even before the middleware.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_UNREADABLE = {"charset": "unreadable"}


class Utf8Middleware:
    """Answers a request that names another charset with 400, before any code reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        parameters = request.content_params or {}
        if parameters.get("charset", "utf-8").lower() != "utf-8":
            return HttpResponse(render_to_string("400.html"), status=400)
        return self.get_response(request)


class Utf8Request(WSGIRequest):
    """A request that `Utf8Middleware` refuses if its Content-Type or query string can't be decoded."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except (LookupError, ValueError):
            self.content_type, self.content_params, self._encoding = "", dict(_UNREADABLE), None


class Utf8Handler(WSGIHandler):
    """Django's WSGI application with `Utf8Request`."""

    request_class = Utf8Request

"""Refuse requests in another charset than UTF-8.

Django reads the body in the charset that its Content-Type names. Some make it fail where it can't show the error page:
in the CSRF check, or even before the middleware.
"""

from __future__ import annotations

import codecs
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
        charset = (request.content_params or {}).get("charset")
        if charset is not None:
            if not _is_utf_8(charset):
                return HttpResponse(render_to_string("400.html"), status=400)
            # Django reads a form only if the charset has exactly this name.
            request.encoding = "utf-8"
        return self.get_response(request)


def _is_utf_8(charset: str) -> bool:
    """Return whether this is a name of UTF-8, such as "UTF-8" or "utf8"."""
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False


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

"""Limit of request bodies. No page takes a large file, so a large body is a mistake or an attack.

Django limits form fields, but not files (`DATA_UPLOAD_MAX_MEMORY_SIZE`). `FILE_UPLOAD_HANDLERS` is empty, so that files
within the limit are dropped too, except by the pages that take one (`coconut.web.uploads`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

#: Twice what the largest form can hold: Django's limit for form fields is 2.5 MB. deploy/Caddyfile has the same limit.
LARGEST_BODY: Final = 5 * 1024 * 1024


#: For pages that need no account. A note of 2,000 characters takes at most 24 KB in a form.
LARGEST_PUBLIC_BODY: Final = 64 * 1024


def small_bodies_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer a body over LARGEST_PUBLIC_BODY with 413: strangers could keep the processes busy with its fields."""

    @wraps(view)
    def limited(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if _content_length(request) > LARGEST_PUBLIC_BODY:
            return _too_large()
        return view(request, *args, **kwargs)

    return limited


class BodyLimitMiddleware:
    """Answers a larger body with 413, before any code reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _content_length(request) > LARGEST_BODY:
            return _too_large()
        return self.get_response(request)


def _too_large() -> HttpResponse:
    return HttpResponse(render_to_string("413.html"), status=413)


def _content_length(request: HttpRequest) -> int:
    # The web server has refused anything but digits.
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0

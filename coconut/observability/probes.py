"""Probes: /healthz, /readyz and /metrics.

Probes come from the private network, without https and for any host name. They are answered before the middleware that
checks host names, sessions and cookies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from coconut.observability import health, metrics

View = Callable[[HttpRequest], HttpResponse]
PROBES: Final[dict[str, View]] = {
    "/healthz": health.alive,
    "/readyz": health.ready,
    "/metrics": metrics.show,
}


class ProbesMiddleware:
    """Answers probes, and passes on all other requests."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self.get_response)(request)

"""What machines ask: whether a process is alive, whether it is ready, and its numbers.

They come by an address of the private network and without https, which no page may: so they are answered before
anything looks at names, sessions or cookies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from coconut import health, metrics

View = Callable[[HttpRequest], HttpResponse]
PROBES: Final[dict[str, View]] = {
    "/healthz": health.alive,
    "/readyz": health.ready,
    "/metrics": metrics.show,
}


class ProbesMiddleware:
    """Answers probes, and hands on everything else."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self.get_response)(request)

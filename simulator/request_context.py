"""Facts about the HTTP request in hand, shared by the middleware and the views."""

from typing import Any

from django.http import HttpRequest

from simulator.store import world

MICROSOFT_DOMAINS = (".microsoft.com", ".microsoftonline.com", ".microsoft.us", ".microsoftonline.us")
REQUEST_ID = "simulator.request_id"
NOTES = "simulator.notes"


def base_url(request: HttpRequest) -> str:
    """Where a browser reaches the simulator: the host that was asked, unless it bears Microsoft's name."""
    host = request.get_host()
    if host.partition(":")[0].endswith(MICROSOFT_DOMAINS):
        return world.options.base_url
    return f"{request.scheme}://{host}"


def request_id(request: HttpRequest) -> str:
    """The id that the answer's header and its error body both carry."""
    return str(request.META[REQUEST_ID])


def note(request: HttpRequest, **facts: Any) -> None:
    """Add something to this request's entry in the log."""
    request.META.setdefault(NOTES, {}).update(facts)

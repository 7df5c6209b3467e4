"""Request data that the middleware and the views share.

Base URL for links, request id, and extra fields for the request log.
"""

from typing import Any

from django.http import HttpRequest

from simulator.store import store

MICROSOFT_DOMAINS = (".microsoft.com", ".microsoftonline.com", ".microsoft.us", ".microsoftonline.us")
REQUEST_ID_KEY = "simulator.request_id"
LOG_FIELDS_KEY = "simulator.log_fields"


def base_url(request: HttpRequest) -> str:
    """Return the URL at which a browser reaches the simulator.

    This is the requested host, except when rerouted requests name a Microsoft host.
    """
    host = request.get_host()
    if host.partition(":")[0].endswith(MICROSOFT_DOMAINS):
        return store.options.base_url
    return f"{request.scheme}://{host}"


def request_id(request: HttpRequest) -> str:
    """Return the id that response header and error body share."""
    return str(request.META[REQUEST_ID_KEY])


def add_log_fields(request: HttpRequest, **fields: Any) -> None:
    """Add fields to the request's entry in the request log."""
    request.META.setdefault(LOG_FIELDS_KEY, {}).update(fields)

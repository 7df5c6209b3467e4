"""Request data that the middleware and the views share.

Base URL for links, request id, target and faults, and extra fields for the request log.
"""

import re
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest

from simulator.faults import Fault
from simulator.store import store

MICROSOFT_DOMAINS = (".microsoft.com", ".microsoftonline.com", ".microsoft.us", ".microsoftonline.us")
REQUEST_ID_KEY = "simulator.request_id"
LOG_FIELDS_KEY = "simulator.log_fields"
SECRET_PARAMETERS = re.compile(r"((?:^|[?&])(?:code|client_secret|state|nonce|code_challenge)=)[^&]*")
# The passcode in a join link, mostly percent-encoded in a $filter.
PASSCODES = re.compile(r"((?:[?&]|%3F|%26)p(?:=|%3D))[^&'%\s]*", re.IGNORECASE)


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


def request_target(request: HttpRequest) -> str:
    """Return the path with its query string, percent-encoded as it was sent."""
    return str(request.META.get("RAW_URI") or request.get_full_path())


def mask_target(target: str) -> str:
    """Return the target for the request log, without secrets and the passcodes of join links."""
    return PASSCODES.sub(r"\1…", SECRET_PARAMETERS.sub(r"\1…", target))


def claim_entra_fault(request: HttpRequest, kind: str) -> Fault | None:
    """Return the first fault of an Entra kind for the request, and count one use. Callers hold `store.lock`."""
    return store.faults.claim_entra(kind, request.method or "GET", unquote(request_target(request)))

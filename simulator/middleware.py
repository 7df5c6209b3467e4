"""Around every request: ids, faults, and the log of requests."""

import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse

from simulator.entra.errors import EntraError
from simulator.faults import Fault
from simulator.graph.protocol import error_body, new_request_id
from simulator.graph.routing import fault_error
from simulator.request_context import NOTES, REQUEST_ID
from simulator.store import world

OWN_PAGES = ("/_control", "/tenant/", "/meet/")
SECRETS = re.compile(r"((?:^|[?&])(?:code|client_secret|state|nonce|code_challenge)=)[^&]*")
HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Exchange:
    """Outermost middleware. Nothing here sleeps with the world's lock held."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        service = _service(request.path)
        if service is None:
            response = self.get_response(request)
            _note_change(request)
            return response
        request.META[REQUEST_ID] = new_request_id()
        started = time.time()
        # The whole request is read first: a fault never depends on how fast the client sends.
        _ = request.body
        target = _target(request)
        with world.lock:
            faults = world.faults.claim(service, request.method or "GET", unquote(target))
        entry = _remember(request, service, target, started)
        response = self._under_faults(request, service, faults)
        entry |= {
            "status": response.status_code,
            "fault": ", ".join(fault.name for fault in faults),
            "ms": round((time.time() - started) * 1000),
            **request.META.get(NOTES, {}),
        }
        _note_change(request)
        return _with_ids(request, response)

    def _under_faults(self, request: HttpRequest, service: str, faults: list[Fault]) -> HttpResponse:
        fault = next((fault for fault in faults if fault.kind != "latency"), None)
        for delay in (fault for fault in faults if fault.kind == "latency"):
            time.sleep(delay.details.get("ms", 1000) / 1000)
        if fault is None:
            return self.get_response(request)
        if fault.kind in ("slow", "drop_after", "truncated"):
            return _spoil(request, self.get_response(request), fault)
        if fault.details.get("executed"):
            self.get_response(request)
        if fault.kind == "drop_before":
            return _drop(request)
        if fault.kind == "html":
            return HttpResponse(HTML, status=fault.details.get("status", 502))
        return _refuse(request, service, fault)


def _service(path: str) -> str | None:
    if path == "/" or path.startswith(OWN_PAGES):
        return None
    return "graph" if path.startswith(("/v1.0", "/beta")) else "entra"


def _target(request: HttpRequest) -> str:
    return str(request.META.get("RAW_URI") or request.get_full_path())


def _remember(request: HttpRequest, service: str, target: str, started: float) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "time": started,
        "service": service,
        "method": request.method,
        "target": SECRETS.sub(r"\1…", target),
        "status": None,
        "request_id": request.META[REQUEST_ID],
        "client_request_id": request.headers.get("client-request-id", ""),
        "grant_type": request.POST.get("grant_type", "") if target.endswith("/token") else "",
    }
    with world.lock:
        world.requests.append(entry)
    return entry


def _note_change(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        world.changed()


def _spoil(request: HttpRequest, response: HttpResponse, fault: Fault) -> HttpResponse:
    """The request was executed; the answer comes late, cut in half, or not at all."""
    if fault.kind == "drop_after":
        return _drop(request)
    if fault.kind == "slow":
        time.sleep(fault.details.get("seconds", 30))
        return response
    response.content = response.content[: len(response.content) // 2]
    return response


def _drop(request: HttpRequest) -> HttpResponse:
    """Close the connection without a byte of an answer."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    # Nobody reads this any more; the number is what the log of requests shows.
    return HttpResponse(status=444)


def _refuse(request: HttpRequest, service: str, fault: Fault) -> HttpResponse:
    error = fault_error(fault)
    if service == "graph":
        headers = {name.lower(): value for name, value in request.headers.items()}
        response: HttpResponse = JsonResponse(
            error_body(error, headers, request.META[REQUEST_ID]), status=error.status
        )
    else:
        number = 90055 if error.status == 429 else 90033
        text = "A transient error has occurred. Please try again."
        body = EntraError("temporarily_unavailable", number, text).body()
        response = JsonResponse(body, status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _with_ids(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    identifier = request.META[REQUEST_ID]
    response["request-id"] = identifier
    response["client-request-id"] = request.headers.get("client-request-id", identifier)
    response["x-ms-request-id"] = identifier
    response["x-ms-ags-diagnostic"] = '{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"5"}}'
    return response

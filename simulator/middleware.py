"""Request ids, fault injection and request log for Entra and Graph requests.

Control API, tenant page, meeting pages and federated sign-in pass through without faults.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import http_date

from simulator.entra.errors import EntraError
from simulator.faults import Fault
from simulator.graph.protocol import error_envelope, new_request_id
from simulator.graph.routing import error_from_fault
from simulator.request_context import LOG_FIELDS_KEY, REQUEST_ID_KEY, mask_target, request_target
from simulator.store import store

UNFAULTED_PATHS = ("/_control", "/tenant/", "/meet/", "/federation/")
BAD_GATEWAY_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class FaultInjectionMiddleware:
    """Add request ids, apply faults, and log the request. Never sleeps while holding `store.lock`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        service = _service_of_path(request.path)
        if service is None:
            response = self.get_response(request)
            _mark_changed(request)
            return response
        request.META[REQUEST_ID_KEY] = new_request_id()
        started = time.time()
        # Read the whole body first, so that a fault doesn't depend on the client's upload speed.
        _ = request.body
        target = request_target(request)
        with store.lock:
            faults = store.faults.claim(service, request.method or "GET", unquote(target))
        entry = _add_log_entry(request, service, target, started)
        response = self._respond_with_faults(request, service, faults)
        entry |= {
            "status": response.status_code,
            "fault": ", ".join(fault.name for fault in faults),
            "ms": round((time.time() - started) * 1000),
            **request.META.get(LOG_FIELDS_KEY, {}),
        }
        _mark_changed(request)
        return _add_headers(request, response)

    def _respond_with_faults(self, request: HttpRequest, service: str, faults: list[Fault]) -> HttpResponse:
        fault = next((fault for fault in faults if fault.kind != "latency"), None)
        for delay in (fault for fault in faults if fault.kind == "latency"):
            time.sleep(delay.details.get("ms", 1000) / 1000)
        if fault is None:
            return self.get_response(request)
        if fault.kind in ("slow", "drop_after", "truncated"):
            return _damage_response(request, self.get_response(request), fault)
        if fault.details.get("executed"):
            self.get_response(request)
        if fault.kind == "drop_before":
            return _drop_connection(request)
        if fault.kind == "html":
            return HttpResponse(BAD_GATEWAY_HTML, status=fault.details.get("status", 502))
        if fault.kind == "raw":
            return _raw_response(fault)
        return _fault_response(request, service, fault)


def _service_of_path(path: str) -> str | None:
    if path == "/" or path.startswith(UNFAULTED_PATHS):
        return None
    return "graph" if path.startswith(("/v1.0", "/beta")) else "entra"


def _add_log_entry(request: HttpRequest, service: str, target: str, started: float) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "time": started,
        "service": service,
        "method": request.method,
        "target": mask_target(target),
        "status": None,
        "request_id": request.META[REQUEST_ID_KEY],
        "client_request_id": request.headers.get("client-request-id", ""),
        "grant_type": request.POST.get("grant_type", "") if target.endswith("/token") else "",
    }
    with store.lock:
        store.request_log.append(entry)
    return entry


def _mark_changed(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        store.mark_changed()


def _damage_response(request: HttpRequest, response: HttpResponse, fault: Fault) -> HttpResponse:
    """Delay, truncate or drop the response of an executed request."""
    if fault.kind == "drop_after":
        return _drop_connection(request)
    if fault.kind == "slow":
        time.sleep(fault.details.get("seconds", 30))
        return response
    response.content = response.content[: len(response.content) // 2]
    return response


def _drop_connection(request: HttpRequest) -> HttpResponse:
    """Close the connection without sending a response."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    # The client can't receive this response; the status is for the request log.
    return HttpResponse(status=444)


def _raw_response(fault: Fault) -> HttpResponse:
    details = fault.details
    headers = {"Content-Type": "application/json", **details.get("headers", {})}
    return HttpResponse(details.get("body", ""), status=details.get("status", 200), headers=headers)


def _fault_response(request: HttpRequest, service: str, fault: Fault) -> HttpResponse:
    error = error_from_fault(fault)
    if service == "graph":
        headers = {name.lower(): value for name, value in request.headers.items()}
        response: HttpResponse = JsonResponse(
            error_envelope(error, headers, request.META[REQUEST_ID_KEY]), status=error.status
        )
    else:
        # AADSTS90055: tenant throttled; 90033: directory unavailable (Microsoft: reference-error-codes).
        number = 90055 if error.status == 429 else 90033
        text = "A transient error has occurred. Please try again."
        body = EntraError("temporarily_unavailable", number, text).body()
        response = JsonResponse(body, status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _add_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Add Microsoft's ids and time, except those that a raw fault chose."""
    response.setdefault("Date", http_date(time.time() + store.behaviour.clock_offset))
    identifier = request.META[REQUEST_ID_KEY]
    response.setdefault("request-id", identifier)
    response.setdefault("client-request-id", request.headers.get("client-request-id", identifier))
    response.setdefault("x-ms-request-id", identifier)
    response.setdefault("x-ms-ags-diagnostic", '{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"5"}}')
    return response

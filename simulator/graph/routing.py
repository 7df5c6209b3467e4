"""Route Graph requests: authenticate, call the endpoint, turn errors into responses.

Batch items go through the same path, with faults of their own.
"""

import json
import time

from simulator.faults import Fault
from simulator.graph import batch, meetings, users
from simulator.graph.access import Caller, authenticate
from simulator.graph.protocol import GraphError, GraphRequest, GraphResponse, error_envelope, throttled_error
from simulator.request_context import mask_target
from simulator.resource_units import WARNING_SHARE
from simulator.store import Store

# Fault kinds that can apply to a single batch item.
ERROR_STATUS_KINDS = frozenset({"throttle", "unavailable", "server_error", "error", "raw"})


def handle_request(store: Store, request: GraphRequest) -> GraphResponse:
    """Run a single request (not a batch). Errors become responses."""
    try:
        with store.lock:
            if request.method == "GET" and request.segments[-1:] == ("onlineMeetings",):
                meetings.reject_malformed_link(request)
            return _route_request(store, authenticate(store, request), request)
    except GraphError as error:
        return error_response(request, error)


def handle_batch(store: Store, request: GraphRequest) -> tuple[GraphResponse, list[dict[str, object]]]:
    """Run a batch. Returns the response, and each item's fields for the request log."""
    log_items: list[dict[str, object]] = []

    def handle_item(item: GraphRequest) -> GraphResponse:
        response = _handle_item(store, item)
        log_items.append({"method": item.method, "target": mask_target(item.target), "status": response.status})
        return response

    try:
        with store.lock:
            authenticate(store, request)
        return batch.run_batch(request, handle_item), log_items
    except GraphError as error:
        return error_response(request, error), log_items


def error_response(request: GraphRequest, error: GraphError) -> GraphResponse:
    """Return the error as a response."""
    return GraphResponse(error.status, error_envelope(error, request.headers, request.request_id), error.headers)


def error_from_fault(fault: Fault) -> GraphError:
    """Return Graph's error for a fault whose kind has an HTTP status."""
    details = fault.details
    if fault.kind == "throttle":
        return throttled_error(details.get("retry_after", 10))
    retry_after = details.get("retry_after")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if fault.kind == "unavailable":
        return GraphError(503, "serviceNotAvailable", "The service is temporarily unavailable.", headers)
    if fault.kind == "server_error":
        return GraphError(500, "InternalServerError", "An internal server error occurred.", headers)
    if details.get("status") == 401:
        headers["WWW-Authenticate"] = 'Bearer realm=""'
    return GraphError(
        details.get("status", 400), details.get("code", "BadRequest"), details.get("message", ""), headers
    )


def _handle_item(store: Store, item: GraphRequest) -> GraphResponse:
    with store.lock:
        faults = store.faults.claim("graph", item.method, item.target, ERROR_STATUS_KINDS)
    if not faults:
        return handle_request(store, item)
    if faults[0].details.get("executed"):
        handle_request(store, item)
    if faults[0].kind == "raw":
        return _raw_response(faults[0])
    return error_response(item, error_from_fault(faults[0]))


def _raw_response(fault: Fault) -> GraphResponse:
    """Return a raw fault as a batch item: its body is JSON if it can be read as JSON, otherwise text."""
    text = fault.details.get("body", "")
    try:
        body = json.loads(text)
    except ValueError:
        body = text or None
    return GraphResponse(fault.details.get("status", 200), body, fault.details.get("headers", {}))


def _route_request(store: Store, caller: Caller, request: GraphRequest) -> GraphResponse:
    match request.segments:
        case ("me", "onlineMeetings", *rest):
            return meetings.route_request(store, caller, request, None, tuple(rest))
        case ("users", key, "onlineMeetings", *rest):
            return meetings.route_request(store, caller, request, key, tuple(rest))
    if request.method != "GET":
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    if request.segments[:1] not in (("me",), ("users",)):
        return _route_read(caller, request)
    headers = _charge_resource_units(store, caller, users.resource_units(request))
    response = _route_read(caller, request)
    response.headers |= headers
    return response


def _charge_resource_units(store: Store, caller: Caller, units: int) -> dict[str, str]:
    """Return the headers of a directory request. Raises 429 if the quota is exceeded (Microsoft: throttling-limits)."""
    headers = {"x-ms-resource-unit": str(units)}
    quota = store.behaviour.resource_units
    if not quota:
        return headers
    app, tenant = caller.client_id, caller.tenant.id
    wait, share = store.resource_units.charge(app, tenant, units, quota=quota, now=time.time())
    if wait is not None:
        scope = f"Tenant_Application/ReadWrite/{app}/{tenant}"
        headers = {"x-ms-throttle-scope": scope, "x-ms-throttle-information": "ResourceUnitLimitExceeded"}
        raise throttled_error(wait, headers)
    if share > WARNING_SHARE:
        headers["x-ms-throttle-limit-percentage"] = f"{share:.1f}"
    return headers


def _route_read(caller: Caller, request: GraphRequest) -> GraphResponse:
    match request.segments:
        case ("me",):
            return users.get_me(caller, request)
        case ("me", "licenseDetails"):
            return users.get_license_details(caller, request, None)
        case ("users",):
            return users.list_users(caller, request)
        case ("users", "$count"):
            return users.count_users(caller, request)
        case ("users", "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"):
            return users.get_delta(caller, request)
        case ("users", key):
            return users.get_user(caller, request, key)
        case ("users", key, "licenseDetails"):
            return users.get_license_details(caller, request, key)
        case ("organization",):
            return users.get_organization(caller, request)
    unknown = request.segments[-1] if request.segments else ""
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{unknown}'.")

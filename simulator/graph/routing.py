"""From a Graph call to its answer: authentication, routes, errors."""

from simulator.faults import Fault
from simulator.graph import batch, meetings, users
from simulator.graph.access import Caller, authenticate
from simulator.graph.protocol import GraphCall, GraphError, GraphReply, error_body, throttled
from simulator.store import World


def answer(world: World, call: GraphCall) -> GraphReply:
    """Execute one call (not a batch). Never raises GraphError: refusals are answers."""
    try:
        with world.lock:
            if call.method == "GET" and call.segments[-1:] == ("onlineMeetings",):
                meetings.check_link(call)
            return _route(world, authenticate(world, call), call)
    except GraphError as error:
        return refusal(call, error)


def answer_batch(world: World, call: GraphCall) -> tuple[GraphReply, list[dict[str, object]]]:
    """Execute a batch; also what to note about each item in the log of requests."""
    noted: list[dict[str, object]] = []

    def answer_item(item: GraphCall) -> GraphReply:
        reply = _answer_item(world, item)
        noted.append({"method": item.method, "target": item.target, "status": reply.status})
        return reply

    try:
        with world.lock:
            authenticate(world, call)
        return batch.run(call, answer_item), noted
    except GraphError as error:
        return refusal(call, error), noted


def refusal(call: GraphCall, error: GraphError) -> GraphReply:
    """An error as an answer."""
    return GraphReply(error.status, error_body(error, call.headers, call.request_id), error.headers)


def fault_error(fault: Fault) -> GraphError:
    """What Graph says under a fault of the kinds that have a status."""
    details = fault.details
    if fault.kind == "throttle":
        return throttled(details.get("retry_after", 10))
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


STATUS_KINDS = frozenset({"throttle", "unavailable", "server_error", "error"})


def _answer_item(world: World, item: GraphCall) -> GraphReply:
    with world.lock:
        faults = world.faults.claim("graph", item.method, item.target, STATUS_KINDS)
    if not faults:
        return answer(world, item)
    if faults[0].details.get("executed"):
        answer(world, item)
    return refusal(item, fault_error(faults[0]))


def _route(world: World, caller: Caller, call: GraphCall) -> GraphReply:
    match call.segments:
        case ("me", "onlineMeetings", *rest):
            return meetings.dispatch(world, caller, call, None, tuple(rest))
        case ("users", key, "onlineMeetings", *rest):
            return meetings.dispatch(world, caller, call, key, tuple(rest))
    if call.method != "GET":
        raise GraphError(
            405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
        )
    return _read(caller, call)


def _read(caller: Caller, call: GraphCall) -> GraphReply:
    match call.segments:
        case ("me",):
            return users.get_me(caller, call)
        case ("me", "licenseDetails"):
            return users.get_license_details(caller, call, None)
        case ("users",):
            return users.list_users(caller, call)
        case ("users", "$count"):
            return users.count_users(caller, call)
        case ("users", "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"):
            return users.delta(caller, call)
        case ("users", key):
            return users.get_user(caller, call, key)
        case ("users", key, "licenseDetails"):
            return users.get_license_details(caller, call, key)
        case ("organization",):
            return users.get_organization(caller, call)
    unknown = call.segments[-1] if call.segments else ""
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{unknown}'.")

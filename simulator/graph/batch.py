"""POST /$batch: up to twenty requests in one, each with an answer of its own."""

from collections.abc import Callable
from typing import Any

from simulator.graph.protocol import GraphCall, GraphError, GraphReply, new_request_id, parse_target

MAX_REQUESTS = 20
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

# Answers one item: its call in, status, headers and body out.
Answer = Callable[[GraphCall], GraphReply]


def run(call: GraphCall, answer: Answer) -> GraphReply:
    """The envelope: 200 whatever the items got, 400 when it is malformed. Answers come in no order."""
    items = _read(call)
    replies: dict[str, GraphReply] = {}
    for item in items:
        identifier = str(item["id"])
        needed = [str(name).lower() for name in item.get("dependsOn", ())]
        if any(name not in replies or replies[name].status >= 400 for name in needed):
            error = {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
            replies[identifier.lower()] = GraphReply(424, {"error": error})
            continue
        replies[identifier.lower()] = answer(_item_call(call, item))
    # Reversed on purpose: a client that relies on the order shall notice.
    responses = [_response(str(item["id"]), replies[str(item["id"]).lower()]) for item in reversed(items)]
    return GraphReply(200, {"responses": responses})


def _read(call: GraphCall) -> list[dict[str, Any]]:
    items = call.json_object().get("requests")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(items) > MAX_REQUESTS:
        raise GraphError(
            400, "BadRequest", f"Number of batch request steps exceeds the maximum value of {MAX_REQUESTS}."
        )
    seen: set[str] = set()
    for item in items:
        _check(item)
        identifier = item["id"].lower()
        if identifier in seen:
            raise GraphError(400, "BadRequest", f"Request Id '{item['id']}' has already been used.")
        seen.add(identifier)
    return items


def _check(item: dict[str, Any]) -> None:
    fields = (item.get("id"), item.get("method"), item.get("url"))
    if not all(isinstance(value, str) and value for value in fields):
        raise GraphError(400, "BadRequest", "Every batch request needs an id, a method and a url.")
    if str(item["method"]).upper() not in METHODS or not str(item["url"]).startswith("/"):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    headers = {name.lower() for name in (item.get("headers") or {})}
    if "body" in item and "content-type" not in headers:
        raise GraphError(400, "BadRequest", "Headers must contain Content-Type when a body is present.")


def _item_call(call: GraphCall, item: dict[str, Any]) -> GraphCall:
    target = f"/v1.0{item['url']}"
    segments, query = parse_target(target)
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    headers["authorization"] = call.headers.get("authorization", "")
    return GraphCall(
        method=item["method"].upper(),
        target=target,
        segments=segments,
        query=query,
        headers=headers,
        content=item.get("body"),
        base_url=call.base_url,
        request_id=new_request_id(),
    )


def _response(identifier: str, reply: GraphReply) -> dict[str, Any]:
    headers = dict(reply.headers)
    if reply.body is not None:
        headers["Content-Type"] = "text/plain" if isinstance(reply.body, str) else "application/json"
    response: dict[str, Any] = {"id": identifier, "status": reply.status, "headers": headers}
    if reply.body is not None:
        response["body"] = reply.body
    return response

"""POST /$batch: up to 20 requests in one, each with its own response.

Microsoft: json-batching.
"""

from collections.abc import Callable
from typing import Any

from simulator.graph.protocol import GraphError, GraphRequest, GraphResponse, new_request_id, parse_target

MAX_REQUESTS = 20
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

ItemHandler = Callable[[GraphRequest], GraphResponse]


def run_batch(request: GraphRequest, handle_item: ItemHandler) -> GraphResponse:
    """Run the items of a batch. The response is 200 even if items fail.

    Raises GraphError 400 if the batch is malformed.
    """
    items = _read_items(request)
    responses: dict[str, GraphResponse] = {}
    for item in items:
        identifier = str(item["id"])
        dependencies = [str(name).lower() for name in item.get("dependsOn", ())]
        if any(name not in responses or responses[name].status >= 400 for name in dependencies):
            error = {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
            responses[identifier.lower()] = GraphResponse(424, {"error": error})
            continue
        responses[identifier.lower()] = handle_item(_item_request(request, item))
    # Graph guarantees no order. Reversed, so that a client that relies on an order fails in tests.
    rendered = [_render_item(str(item["id"]), responses[str(item["id"]).lower()]) for item in reversed(items)]
    return GraphResponse(200, {"responses": rendered})


def _read_items(request: GraphRequest) -> list[dict[str, Any]]:
    items = request.read_json_object().get("requests")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(items) > MAX_REQUESTS:
        raise GraphError(
            400, "BadRequest", f"Number of batch request steps exceeds the maximum value of {MAX_REQUESTS}."
        )
    seen: set[str] = set()
    for item in items:
        _validate_item(item)
        identifier = item["id"].lower()
        if identifier in seen:
            raise GraphError(400, "BadRequest", f"Request Id '{item['id']}' has already been used.")
        seen.add(identifier)
    return items


def _validate_item(item: dict[str, Any]) -> None:
    fields = (item.get("id"), item.get("method"), item.get("url"))
    if not all(isinstance(value, str) and value for value in fields):
        raise GraphError(400, "BadRequest", "Every batch request needs an id, a method and a url.")
    if str(item["method"]).upper() not in METHODS or not str(item["url"]).startswith("/"):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    headers = {name.lower() for name in (item.get("headers") or {})}
    if "body" in item and "content-type" not in headers:
        raise GraphError(400, "BadRequest", "Headers must contain Content-Type when a body is present.")


def _item_request(request: GraphRequest, item: dict[str, Any]) -> GraphRequest:
    target = f"/v1.0{item['url']}"
    segments, query = parse_target(target)
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    headers["authorization"] = request.headers.get("authorization", "")
    return GraphRequest(
        method=item["method"].upper(),
        target=target,
        segments=segments,
        query=query,
        headers=headers,
        content=item.get("body"),
        base_url=request.base_url,
        request_id=new_request_id(),
    )


def _render_item(identifier: str, response: GraphResponse) -> dict[str, Any]:
    headers = dict(response.headers)
    if response.body is not None:
        headers["Content-Type"] = "text/plain" if isinstance(response.body, str) else "application/json"
    item: dict[str, Any] = {"id": identifier, "status": response.status, "headers": headers}
    if response.body is not None:
        item["body"] = response.body
    return item

"""Parse Graph's responses, single ones and batch items."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from integrations.teams.graph.errors import Refusal, area_of, throttled_scope
from integrations.teams.http import header, retry_after

#: Returned by `parse_json` for a body that isn't JSON.
NO_JSON: Final = object()


@dataclass(frozen=True)
class GraphResponse:
    """A body or a refusal. The body of a batch is the list of its items' bodies and refusals."""

    body: Any = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_unauthorized(self) -> bool:
        return any(refusal.status == 401 for refusal in self.refusals)


def parse_json(content: bytes) -> Any:
    """Parse JSON. Return None for an empty body, NO_JSON for anything else. `$count` may start with a BOM."""
    if not content:
        return None
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return NO_JSON


def refusal(
    status: int,
    path: str,
    headers: object,
    body: object,
    *,
    request_id: str,
    is_write: bool = False,
) -> Refusal:
    """Return an error response with the code and message of Graph's error object, if it has one.

    `path` is that of the request, below the version. Code and message may both be empty
    (learn.microsoft.com/graph/errors).
    """
    refused = Refusal(
        status,
        area_of(path),
        request_id=request_id,
        retry_after=retry_after(headers),
        is_write=is_write,
        throttled=throttled_scope(path, header(headers, "x-ms-throttle-scope")),
    )
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return replace(refused, is_graph_error=False)
    return replace(refused, code=str(error.get("code") or ""), message=str(error.get("message") or ""))


def is_success(status: int) -> bool:
    """Return whether a response may hold the requested data. A 202 doesn't: Graph has only accepted the request."""
    return 200 <= status < 300 and status != 202


def batch_items(body: Any, how_many: int) -> list[dict[str, Any]] | None:
    """Return a batch's responses in the order of the requests, whose ids are "0", "1", …

    Graph may return them in any order (learn.microsoft.com/graph/json-batching). None unless each request has exactly
    one response.
    """
    items = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    by_id = {str(item.get("id")): item for item in items}
    ids = [str(number) for number in range(how_many)]
    if len(items) != how_many or by_id.keys() != set(ids):
        return None
    ordered = [by_id[number] for number in ids]
    return ordered if all(isinstance(item.get("status"), int) for item in ordered) else None

"""Graph requests, responses and errors, for single requests and batch items.

Microsoft: errors, throttling.
"""

import datetime as dt
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

VERSION_ROOT = "https://graph.microsoft.com/v1.0"
KEYED_SEGMENT = re.compile(r"(\w+)\('(.*)'\)")


@dataclass(frozen=True)
class GraphRequest:
    """A request. `segments` is the decoded path below the version; header names are in lower case."""

    method: str
    target: str
    segments: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    content: Any
    base_url: str
    request_id: str

    @property
    def is_advanced_query(self) -> bool:
        """Return whether this is an advanced directory query (ConsistencyLevel: eventual)."""
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def includes_unknown_enum_members(self) -> bool:
        return "include-unknown-enum-members" in self.headers.get("prefer", "")

    def read_json_object(self) -> dict[str, Any]:
        """Return the body. Raises GraphError 400 if it isn't a JSON object."""
        content = self.content
        if isinstance(content, bytes):
            try:
                content = json.loads(content)
            except ValueError as error:
                raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from error
        if not isinstance(content, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
        return content


@dataclass
class GraphResponse:
    """A response. A `str` body is sent as text/plain; None means no body."""

    status: int = 200
    body: dict[str, Any] | str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class GraphError(Exception):
    """An error response with Graph's code and message."""

    def __init__(self, status: int, code: str, message: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def parse_target(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return decoded path segments and query of `/v1.0/users/a%40b?$select=id`.

    A keyed segment such as `users('a@b')` becomes two segments.
    """
    path, _, query = target.partition("#")[0].partition("?")
    segments: list[str] = []
    for raw in path.strip("/").split("/")[1:]:
        segment = unquote(raw)
        keyed = KEYED_SEGMENT.fullmatch(segment)
        segments += [keyed[1], keyed[2].replace("''", "'")] if keyed else [segment]
    return tuple(segments), dict(parse_qsl(query, keep_blank_values=True))


def error_envelope(error: GraphError, request_headers: dict[str, str], request_id: str) -> dict[str, Any]:
    """Return the error body. A 429 has the inner error of Microsoft's throttling page."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    inner = {
        "date": now,
        "request-id": request_id,
        "client-request-id": request_headers.get("client-request-id", request_id),
    }
    if error.status == 429:
        inner = {
            "code": "429",
            "date": now,
            "message": "Please retry after",
            "request-id": request_id,
            "status": "429",
        }
    return {"error": {"code": error.code, "message": error.message, "innerError": inner}}


def throttled_error(retry_after: int | None, headers: dict[str, str] | None = None) -> GraphError:
    """Return a 429 error; `retry_after` is in seconds (Microsoft: throttling)."""
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GraphError(429, "TooManyRequests", "Please retry again later.", {**wait, **(headers or {})})


def new_request_id() -> str:
    return str(uuid.uuid4())

"""One Graph request, single or inside a batch, its answer, and Graph's error shape."""

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
class GraphCall:
    """A request: `segments` is the decoded path below the version, header names are in small letters."""

    method: str
    target: str
    segments: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    content: Any
    base_url: str
    request_id: str

    @property
    def is_advanced(self) -> bool:
        """Advanced directory queries carry this header."""
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def wants_unknown_enum_members(self) -> bool:
        return "include-unknown-enum-members" in self.headers.get("prefer", "")

    def json_object(self) -> dict[str, Any]:
        """The body. Raises GraphError when it is no JSON object."""
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
class GraphReply:
    """An answer; a `str` body is sent as text/plain, None as no body at all."""

    status: int = 200
    body: dict[str, Any] | str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class GraphError(Exception):
    """A refusal in Graph's words."""

    def __init__(
        self, status: int, code: str, message: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def parse_target(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Decoded path segments and query of `/v1.0/users/a%40b?$select=id`; a keyed segment becomes two."""
    path, _, query = target.partition("#")[0].partition("?")
    segments: list[str] = []
    for raw in path.strip("/").split("/")[1:]:
        segment = unquote(raw)
        keyed = KEYED_SEGMENT.fullmatch(segment)
        segments += [keyed[1], keyed[2].replace("''", "'")] if keyed else [segment]
    return tuple(segments), dict(parse_qsl(query, keep_blank_values=True))


def error_body(error: GraphError, call_headers: dict[str, str], request_id: str) -> dict[str, Any]:
    """Graph's error envelope."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    inner = {
        "date": now,
        "request-id": request_id,
        "client-request-id": call_headers.get("client-request-id", request_id),
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


def throttled(retry_after: int | None) -> GraphError:
    """429 as the throttling page of Graph's documentation shows it."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GraphError(429, "TooManyRequests", "Please retry again later.", headers)


def new_request_id() -> str:
    return str(uuid.uuid4())

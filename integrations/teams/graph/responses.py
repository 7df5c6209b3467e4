"""Reading what Graph answered, single or inside a batch, whatever it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from integrations.teams.graph.errors import Area, Refusal

# A pause that Graph asks for is kept, but asking again after an hour harms nobody.
LONGEST_PAUSE_SECONDS: Final = 3600.0
#: What `parsed` returns for a body that is no JSON.
NO_JSON: Final = object()


@dataclass(frozen=True)
class GraphResponse:
    """A body, or what was refused. A batch has a list of both, each in its place."""

    body: Any = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_unauthorized(self) -> bool:
        return any(refusal.status == 401 for refusal in self.refusals)


def parsed(content: bytes) -> Any:
    """JSON, None for an empty body, NO_JSON for anything else. `$count` is a bare number, at times after a BOM."""
    if not content:
        return None
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return NO_JSON


def refusal(
    status: int,
    area: Area,
    headers: object,
    body: object,
    *,
    request_id: str,
    is_write: bool = False,
) -> Refusal:
    """An answer that is no success, with what Graph's error object says where there is one.

    Its code and message may both be empty (learn.microsoft.com/graph/errors).
    """
    known = Refusal(status, area, request_id=request_id, retry_after=retry_after(headers), is_write=is_write)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return replace(known, is_graphs=False)
    return replace(known, code=str(error.get("code") or ""), message=str(error.get("message") or ""))


def retry_after(headers: object) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date (RFC 9110); None without one."""
    if not isinstance(headers, Mapping):
        return None
    text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def batch_items(body: Any, how_many: int) -> list[dict[str, Any]] | None:
    """The answers in a batch's envelope in the order of the questions, whose ids are "0", "1", …

    Graph answers in any order (learn.microsoft.com/graph/json-batching). None unless every question has exactly one.
    """
    items = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    by_id = {str(item.get("id")): item for item in items}
    desired_state = [str(number) for number in range(how_many)]
    if len(items) != how_many or by_id.keys() != set(desired_state):
        return None
    ordered = [by_id[number] for number in desired_state]
    return ordered if all(isinstance(item.get("status"), int) for item in ordered) else None

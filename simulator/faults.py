"""Fault injection: fault kinds, presets, and the list of active faults.

HTTP faults apply to any Entra or Graph request; Entra faults change consent and tokens. Both can be limited to some
requests. A `raw` fault answers with a chosen status, headers and body: `{"kind": "raw", "regex": "/token$",
"status": 429, "headers": {"Retry-After": "7"}, "body": "{}", "count": 2}`.
"""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.fault_fields import parse_fields

# Applied by the middleware to any Entra or Graph request.
HTTP_KINDS = frozenset(
    {
        "latency",
        "throttle",
        "unavailable",
        "server_error",
        "error",
        "html",
        "truncated",
        "slow",
        "drop_before",
        "drop_after",
        "raw",
    }
)
# Applied by the Entra endpoints during consent and token issue.
ENTRA_KINDS = frozenset(
    {
        "refuse_consent",
        "refuse_token",
        "refresh_revoked",
        "refresh_expired",
        "secret_wrong",
        "secret_expired",
        "no_refresh_token",
        "no_roles",
        "id_token",
    }
)
# Shorthands for HTTP faults with a preset target or response.
PRESETS: dict[str, dict[str, Any]] = {
    "token_down": {"kind": "unavailable", "regex": r"/oauth2/v2\.0/token"},
    "no_wids": {"kind": "id_token", "without": ["wids"]},
    "entra_down": {"kind": "unavailable", "service": "entra"},
    "graph_down": {"kind": "unavailable", "service": "graph"},
    "unauthorized": {
        "kind": "error",
        "service": "graph",
        "status": 401,
        "code": "InvalidAuthenticationToken",
        "message": "Access token has expired or is not yet valid.",
    },
    "forbidden": {
        "kind": "error",
        "service": "graph",
        "status": 403,
        "code": "Authorization_RequestDenied",
        "message": "Insufficient privileges to complete the operation.",
    },
}
KINDS = HTTP_KINDS | ENTRA_KINDS | PRESETS.keys()
TARGET_FIELDS = frozenset({"service", "path", "regex", "method", "count"})


@dataclass
class Fault:
    """A fault; `count` is the number of requests left (None: until cleared)."""

    id: int
    name: str
    kind: str
    service: str | None = None
    path: str | None = None
    regex: str | None = None
    method: str | None = None
    count: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def matches(self, service: str, method: str, target: str) -> bool:
        """Return whether the fault applies to a request; `target` is the path with its query string."""
        return (
            self.service in (None, service)
            and (self.method is None or self.method.upper() == method.upper())
            and (self.path is None or target.startswith(self.path))
            and (self.regex is None or re.search(self.regex, target) is not None)
        )


class FaultList:
    """Active faults, oldest first. Callers hold `store.lock`."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._last_id = 0

    def add(self, description: dict[str, Any]) -> Fault:
        """Add a fault from its JSON description. Raises ValueError with a sentence if it is invalid."""
        name = description.get("kind")
        if name not in KINDS:
            raise ValueError(f"Unknown fault {name!r}. Known: {', '.join(sorted(KINDS))}.")
        merged = {**PRESETS.get(name, {}), **{k: v for k, v in description.items() if k != "kind"}}
        kind = merged.pop("kind", name)
        values = parse_fields(merged)
        self._last_id += 1
        fault = Fault(
            self._last_id,
            name,
            kind,
            **{key: value for key, value in values.items() if key in TARGET_FIELDS},
            details={key: value for key, value in values.items() if key not in TARGET_FIELDS},
        )
        if fault.count is None or fault.count > 0:
            self.active.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them."""
        self.active = [fault for fault in self.active if fault_id is not None and fault.id != fault_id]

    def claim(self, service: str, method: str, target: str, kinds: frozenset[str] = HTTP_KINDS) -> list[Fault]:
        """Return the faults for a request, and count one use of each.

        These are all latency faults and the first fault of another kind.
        """
        claimed: list[Fault] = []
        for fault in self.active:
            if fault.kind not in kinds or not fault.matches(service, method, target):
                continue
            if fault.kind == "latency" or all(other.kind == "latency" for other in claimed):
                claimed.append(fault)
        for fault in claimed:
            self._use_up(fault)
        return claimed

    def claim_entra(self, kind: str, method: str, target: str) -> Fault | None:
        """Return the first fault of an Entra kind for a request, and count one use of it."""
        for fault in self.active:
            if fault.kind == kind and fault.matches("entra", method, target):
                self._use_up(fault)
                return fault
        return None

    def _use_up(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self.active.remove(fault)

    def dump(self) -> list[dict[str, Any]]:
        """Return the active faults as JSON-ready data."""
        return [asdict(fault) for fault in self.active]

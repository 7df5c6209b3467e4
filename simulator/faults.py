"""Trouble on demand: which fault strikes which request."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

# Faults of the HTTP exchange, applied to any request of Entra or Graph.
EXCHANGE_KINDS = frozenset(
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
    }
)
# Faults that Entra itself looks for while it issues tokens.
ENTRA_KINDS = frozenset(
    {
        "refuse_consent",
        "refresh_revoked",
        "refresh_expired",
        "secret_wrong",
        "secret_expired",
        "no_refresh_token",
        "no_roles",
        "id_token",
    }
)
# Short names for an exchange fault with its target filled in.
PRESETS: dict[str, dict[str, Any]] = {
    "token_down": {"kind": "unavailable", "regex": r"/oauth2/v2\.0/token"},
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
KINDS = EXCHANGE_KINDS | ENTRA_KINDS | PRESETS.keys()
TARGET_FIELDS = frozenset({"service", "path", "regex", "method", "count"})
# What else a kind may be told.
DETAIL_FIELDS = frozenset(
    {
        "ms",
        "seconds",
        "retry_after",
        "status",
        "code",
        "message",
        "executed",
        "claims",
        "without",
        "bad_signature",
    }
)


@dataclass
class Fault:
    """One fault; `count` is how many requests it still strikes (None: until it is cleared)."""

    id: int
    name: str
    kind: str
    service: str | None = None
    path: str | None = None
    regex: str | None = None
    method: str | None = None
    count: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def strikes(self, service: str, method: str, target: str) -> bool:
        """Does it concern this request? `target` is the path with its query string."""
        return (
            self.service in (None, service)
            and (self.method is None or self.method.upper() == method.upper())
            and (self.path is None or target.startswith(self.path))
            and (self.regex is None or re.search(self.regex, target) is not None)
        )


class FaultList:
    """The faults in force, oldest first. Callers hold the world's lock."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._last_id = 0

    def add(self, description: dict[str, Any]) -> Fault:
        """Add a fault from its JSON description. Raises ValueError with a sentence when it makes no sense."""
        name = description.get("kind")
        if name not in KINDS:
            raise ValueError(f"Unknown fault {name!r}. Known: {', '.join(sorted(KINDS))}.")
        merged = {**PRESETS.get(name, {}), **{k: v for k, v in description.items() if k != "kind"}}
        kind = merged.pop("kind", name)
        unknown = merged.keys() - TARGET_FIELDS - DETAIL_FIELDS
        if unknown:
            raise ValueError(f"Unknown field {', '.join(sorted(unknown))}.")
        if merged.get("service") not in (None, "entra", "graph"):
            raise ValueError("service must be entra or graph.")
        _check_regex(merged.get("regex"))
        self._last_id += 1
        fault = Fault(
            self._last_id,
            name,
            kind,
            **{key: merged[key] for key in TARGET_FIELDS if key in merged},
            details={key: merged[key] for key in DETAIL_FIELDS if key in merged},
        )
        if fault.count is None or fault.count > 0:
            self.active.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """End one fault, or all."""
        self.active = [fault for fault in self.active if fault_id is not None and fault.id != fault_id]

    def claim(
        self, service: str, method: str, target: str, kinds: frozenset[str] = EXCHANGE_KINDS
    ) -> list[Fault]:
        """The faults for this request, one use of each spent: every latency, and the first other one."""
        struck: list[Fault] = []
        for fault in self.active:
            if fault.kind not in kinds or not fault.strikes(service, method, target):
                continue
            if fault.kind == "latency" or all(other.kind == "latency" for other in struck):
                struck.append(fault)
        for fault in struck:
            self._spend(fault)
        return struck

    def take(self, kind: str, target: str = "") -> Fault | None:
        """The first fault of an Entra kind, one use of it spent."""
        for fault in self.active:
            if fault.kind == kind and fault.strikes("entra", fault.method or "POST", target):
                self._spend(fault)
                return fault
        return None

    def _spend(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self.active.remove(fault)

    def dump(self) -> list[dict[str, Any]]:
        """The faults in force as JSON-ready data."""
        return [asdict(fault) for fault in self.active]


def _check_regex(pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"regex: {error}.") from error

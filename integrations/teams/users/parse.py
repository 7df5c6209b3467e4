"""Parse Graph's user rows, and compare user names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# The fields that User.ReadBasic.All can read. The others need User.Read.All
# (github.com/microsoftgraph/microsoft-graph-devx-content, permissions.json).
BASIC_FIELDS: Final = "id,displayName,mail,userPrincipalName"
FULL_FIELDS: Final = f"{BASIC_FIELDS},accountEnabled,userType,proxyAddresses,assignedPlans"
# Lengths of the columns that store them. Microsoft's names are far shorter.
_LONGEST_ID: Final = 100
_LONGEST_NAME: Final = 320
_LONGEST_DISPLAY_NAME: Final = 300
# The service of every Teams plan, and the states of a usable plan
# (learn.microsoft.com/graph/api/resources/assignedplan). The name itself was seen, not documented.
_TEAMS_SERVICE: Final = "teamspaceapi"
_USABLE_STATES: Final = frozenset({"enabled", "warning"})


@dataclass(frozen=True)
class User:
    """A user. `addresses` are folded. None means that the granted permissions don't tell."""

    id: str
    user_name: str
    name: str = ""
    addresses: frozenset[str] = frozenset()
    is_enabled: bool | None = None
    is_guest: bool = False
    is_licensed: bool | None = None


def fold(name: str) -> str:
    """Return the name for comparison. Entra ignores case.

    A letter that folds to ASCII (the Kelvin sign to k) stays as it is. Otherwise people who choose their own address
    could impersonate others.
    """
    name = name.strip()
    folded = name.casefold()
    return folded if folded.isascii() == name.isascii() else name


def is_possible_user_name(key: str) -> bool:
    """Return whether a user could have this name: local@domain, printable, and not too long."""
    return "@" in key and len(key) <= _LONGEST_NAME and key.isprintable()


def read_user(row: Mapping[str, Any]) -> User | None:
    """Parse a row of `/users`. Return None for a user without a user name, which can't be matched.

    Raises ValueError for a row that isn't a user.
    """
    oid, user_name = row.get("id"), row.get("userPrincipalName")
    if not isinstance(oid, str) or not 0 < len(oid) <= _LONGEST_ID or not oid.isprintable():
        raise ValueError("a user without an id")
    if not isinstance(user_name, str) or not is_possible_user_name(user_name):
        return None
    return User(
        oid,
        user_name,
        _printable(row.get("displayName"))[:_LONGEST_DISPLAY_NAME],
        _addresses(row),
        _flag(row.get("accountEnabled")),
        _is_guest(row, user_name),
        _is_licensed(row.get("assignedPlans")),
    )


def _addresses(row: Mapping[str, Any]) -> frozenset[str]:
    """Return `mail` and the entries of `proxyAddresses` with smtp: or SMTP: (the primary one)."""
    listed = row.get("proxyAddresses")
    proxies = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    found = [text[5:] for text in proxies if text[:5].lower() == "smtp:"]
    main = row.get("mail")
    if isinstance(main, str):
        found.append(main)
    return frozenset(fold(address) for address in found if address)


def _is_guest(row: Mapping[str, Any], user_name: str) -> bool:
    """Return whether the user is a guest, by `userType` or by "#EXT#" in the user name.

    Entra puts "#EXT#" into B2B users' names (learn.microsoft.com/entra/external-id/user-properties).
    """
    kind = row.get("userType")
    if isinstance(kind, str):
        return kind.casefold() == "guest"
    return "#ext#" in user_name.casefold()


def _is_licensed(plans: object) -> bool | None:
    if not isinstance(plans, list):
        return None
    return any(
        str(plan.get("service")).casefold() == _TEAMS_SERVICE
        and str(plan.get("capabilityStatus")).casefold() in _USABLE_STATES
        for plan in plans
        if isinstance(plan, dict)
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _printable(value: object) -> str:
    """Remove control characters. PostgreSQL rejects NUL."""
    return "".join(char for char in value if char.isprintable()) if isinstance(value, str) else ""

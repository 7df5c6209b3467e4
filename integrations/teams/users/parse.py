"""Users as Graph shows them, and how their names are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# All that User.ReadBasic.All shows of what we need; the rest needs User.Read.All
# (github.com/microsoftgraph/microsoft-graph-devx-content, permissions.json).
BASIC_FIELDS: Final = "id,displayName,mail,userPrincipalName"
FULL_FIELDS: Final = f"{BASIC_FIELDS},accountEnabled,userType,proxyAddresses,assignedPlans"
# What our own columns hold; Microsoft's names are far shorter.
_LONGEST_ID: Final = 100
_LONGEST_NAME: Final = 320
_LONGEST_DISPLAY_NAME: Final = 300
# The service behind every Teams plan, and the states in which a plan may be used
# (learn.microsoft.com/graph/api/resources/assignedplan). The name itself was seen, not documented.
_TEAMS_SERVICE: Final = "teamspaceapi"
_USABLE_STATES: Final = frozenset({"enabled", "warning"})


@dataclass(frozen=True)
class User:
    """One user. `addresses` are folded; None means that the granted permissions do not tell."""

    id: str
    user_name: str
    name: str = ""
    addresses: frozenset[str] = frozenset()
    is_enabled: bool | None = None
    is_guest: bool = False
    is_licensed: bool | None = None


def fold(name: str) -> str:
    """A name as it is compared: Entra takes no notice of case.

    A letter that merely turns into an ASCII one (the Kelvin sign into k) stays what it is: whoever can choose their
    own address must not be able to look like somebody else.
    """
    name = name.strip()
    folded = name.casefold()
    return folded if folded.isascii() == name.isascii() else name


def is_askable(key: str) -> bool:
    """Whether any user could have this name: it is local@domain, printable and not endless."""
    return "@" in key and len(key) <= _LONGEST_NAME and key.isprintable()


def read_user(row: Mapping[str, Any]) -> User | None:
    """A user from a row of `/users`; None for one without a user name, whom nobody can be matched with.

    Raises ValueError for a row that is no user.
    """
    oid, user_name = row.get("id"), row.get("userPrincipalName")
    if not isinstance(oid, str) or not 0 < len(oid) <= _LONGEST_ID or not oid.isprintable():
        raise ValueError("a user without an id")
    if not isinstance(user_name, str) or not is_askable(user_name):
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
    """`mail`, and what `proxyAddresses` list as smtp: or SMTP: (the main one)."""
    listed = row.get("proxyAddresses")
    proxies = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    mails = [text[5:] for text in proxies if text[:5].lower() == "smtp:"]
    main = row.get("mail")
    if isinstance(main, str):
        mails.append(main)
    return frozenset(fold(mail) for mail in mails if mail)


def _is_guest(row: Mapping[str, Any], user_name: str) -> bool:
    """`userType` where it may be read; else the mark that Entra puts into the user names of people from elsewhere.

    (learn.microsoft.com/entra/external-id/user-properties: a B2B user's name holds "#EXT#".)
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
    """Text for people; PostgreSQL takes no NUL, and nobody wants the other control characters."""
    return "".join(letter for letter in value if letter.isprintable()) if isinstance(value, str) else ""

"""The simulated Microsoft, as the fault table uses it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tests.faults.connecting import ADMINISTRATOR, SERVICE_ACCOUNT
from tests.stack import Stack

CREATE = r"onlineMeetings/createOrGet"
# A meeting that exists: moved, read, deleted.
MEETING = r"onlineMeetings/(?!createOrGet)"
ANY = r"onlineMeetings"


def administrator(stack: Stack) -> dict[str, Any]:
    """Who consented for the organisation."""
    return {"oid": _oid(stack, ADMINISTRATOR)}


def sign_in(stack: Stack) -> dict[str, Any]:
    """The service account signs in: its object id and its tokens."""
    stack.control("consent", user=SERVICE_ACCOUNT)
    answer = stack.control("token", user=SERVICE_ACCOUNT)
    return {
        "oid": _oid(stack, SERVICE_ACCOUNT),
        **{name: answer[name] for name in ("access_token", "refresh_token")},
    }


def created(stack: Stack) -> int:
    """How many meetings Microsoft ever made, deleted ones included."""
    return len(stack.simulator_state("meetings"))


def asked(stack: Stack, pattern: str) -> list[dict[str, Any]]:
    """The requests that Microsoft has answered since the start, oldest first."""
    log = stack.simulator_requests()
    return [
        each for each in log if each["status"] is not None and re.search(pattern, unquote(each["target"]))
    ]


def times(stack: Stack, pattern: str) -> list[float]:
    """When Microsoft was asked, in seconds of its own clock."""
    return [each["time"] for each in asked(stack, pattern)]


def reauthorize(stack: Stack, slug: str) -> None:
    """The admin clicks Reauthorize, and the service account signs in."""
    stack.python(
        f"from tests.faults.connecting import reauthorize\nreauthorize({slug!r}, {sign_in(stack)!r})"
    )


def _oid(stack: Stack, upn: str) -> str:
    return next(str(each["id"]) for each in stack.simulator_state("people") if each["upn"] == upn)

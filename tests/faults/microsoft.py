"""Helpers for the simulated Microsoft in the fault table."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tests.faults.connecting import ADMINISTRATOR, SERVICE_ACCOUNT
from tests.stack import Stack

CREATE = r"onlineMeetings/createOrGet"
# Requests for an existing meeting: update, read, delete.
MEETING = r"onlineMeetings/(?!createOrGet)"
ANY = r"onlineMeetings"


def administrator(stack: Stack) -> dict[str, Any]:
    """Return the object id of the administrator who consented."""
    return {"oid": _oid(stack, ADMINISTRATOR)}


def sign_in(stack: Stack) -> dict[str, Any]:
    """Sign in as the service account, and return its object id and tokens."""
    stack.control("consent", user=SERVICE_ACCOUNT)
    answer = stack.control("token", user=SERVICE_ACCOUNT)
    return {
        "oid": _oid(stack, SERVICE_ACCOUNT),
        **{name: answer[name] for name in ("access_token", "refresh_token")},
    }


def created(stack: Stack) -> int:
    """Return the number of meetings ever created, deleted ones included."""
    return len(stack.simulator_state("meetings"))


def asked(stack: Stack, pattern: str) -> list[dict[str, Any]]:
    """Return the answered requests since the start, oldest first."""
    log = stack.simulator_requests()
    return [each for each in log if each["status"] is not None and re.search(pattern, unquote(each["target"]))]


def times(stack: Stack, pattern: str) -> list[float]:
    """Return the times of the requests, in seconds of the simulator's clock."""
    return [each["time"] for each in asked(stack, pattern)]


def reauthorize(stack: Stack, slug: str) -> None:
    """Reauthorize the organisation's connection with a new sign-in of the service account."""
    stack.python(f"from tests.faults.connecting import reauthorize\nreauthorize({slug!r}, {sign_in(stack)!r})")


def _oid(stack: Stack, upn: str) -> str:
    return next(str(each["id"]) for each in stack.simulator_state("people") if each["upn"] == upn)

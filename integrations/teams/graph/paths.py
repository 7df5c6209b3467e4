"""Addresses at Graph, built so that no name, id or link can lead a request elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode

from integrations.teams.graph.errors import bug
from integrations.teams.http import graph_url

VERSION: Final = "/v1.0"
_SAFE_PATH: Final = re.compile(r"(/[A-Za-z0-9$@%._~-]+)+")


def segment(value: str) -> str:
    """One path segment for an id or user name. Raises PlatformError (BUG) for what could leave the segment.

    The `#` of a guest's user name would silently end the path; `.` and `..` would be resolved by the HTTP library.
    """
    if value in ("", ".", "..") or not value.isprintable():
        raise bug()
    return quote(value, safe="@")


def absolute(path: str) -> str:
    """The address of a path below the version. Raises PlatformError (BUG) for an unquoted path."""
    return f"{graph_url()}{VERSION}{_checked(path)}"


def relative(path: str, params: Mapping[str, str]) -> str:
    """Path and query for an item of a batch. Raises PlatformError (BUG) for an unquoted path."""
    return f"{_checked(path)}?{urlencode(params, safe='$,', quote_via=quote)}"


def is_graphs_own(link: object) -> bool:
    """Whether a link that Graph gave leads to Graph itself: the access token goes along with it."""
    return isinstance(link, str) and link.startswith(f"{graph_url()}{VERSION}/")


def loggable(address: str) -> str:
    """The path alone: a query may hold people's names and meeting links."""
    return address.removeprefix(graph_url()).partition("?")[0]


def _checked(path: str) -> str:
    if _SAFE_PATH.fullmatch(path) is None or {".", ".."} & set(unquote(path).split("/")):
        raise bug()
    return path

"""URLs of Graph, built so that no name, id or link can redirect a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode

from integrations.teams.graph.errors import bug_error
from integrations.teams.http import graph_url

VERSION: Final = "/v1.0"
_SAFE_PATH: Final = re.compile(r"(/[A-Za-z0-9$@%._~-]+)+")


def segment(value: str) -> str:
    """Quote an id or user name as one path segment. Raises PlatformError (BUG) if it could leave the segment.

    An unquoted `#` of a guest's user name would end the path. The HTTP library would resolve `.` and `..`.
    """
    if value in ("", ".", "..") or not value.isprintable():
        raise bug_error()
    return quote(value, safe="@")


def absolute_url(path: str) -> str:
    """Return the URL of a path below the version. Raises PlatformError (BUG) for an unquoted path."""
    return f"{graph_url()}{VERSION}{_checked_path(path)}"


def batch_url(path: str, params: Mapping[str, str]) -> str:
    """Return path and query for a batch item. Raises PlatformError (BUG) for an unquoted path."""
    return f"{_checked_path(path)}?{urlencode(params, safe='$,', quote_via=quote)}"


def is_graph_link(link: object) -> bool:
    """Return whether a link leads to Graph. Only then may a request to it carry the access token."""
    return isinstance(link, str) and link.startswith(f"{graph_url()}{VERSION}/") and link.isprintable()


def path_for_log(address: str) -> str:
    """Return the path without the query, which may hold names and meeting links."""
    return address.removeprefix(graph_url()).partition("?")[0]


def _checked_path(path: str) -> str:
    if _SAFE_PATH.fullmatch(path) is None or {".", ".."} & set(unquote(path).split("/")):
        raise bug_error()
    return path

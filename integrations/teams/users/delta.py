"""Find changed users by Graph's delta query (learn.microsoft.com/graph/delta-query-users)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Final

from django.conf import settings

from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryChanges, PlatformError
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.paths import is_graph_link
from integrations.teams.users.parse import FULL_FIELDS

logger = logging.getLogger(__name__)

# The delta query needs it as delegated and as application permission (microsoft-graph-devx-content, permissions.json).
REQUIRED_PERMISSION: Final = "User.Read.All"
# After this share of a task's time limit, looking users up is cheaper than reading more changes.
SHARE_OF_TASK: Final = 1 / 4
UNKNOWN: Final = DirectoryChanges(sync_token="", is_complete=False)


def changes_since(connection: Connection, sync_token: str) -> DirectoryChanges | None:
    """Return the changes since `mark`, a delta link. "" starts at the present. None without the permission.

    Raises PlatformError. An expired link (410, resyncRequired, syncStateNotFound) isn't an error: the result is
    UNKNOWN, and the next call starts over.
    """
    if not connection.teams.has(REQUIRED_PERMISSION):
        return None
    client = GraphClient(connection)
    try:
        return _changes_from(client, sync_token) if sync_token else _start_tracking(client)
    except PlatformError as error:
        # Graph refuses the query itself: the link is too old, or the tenant moved.
        if error.kind not in (ErrorKind.BUG, ErrorKind.UNUSABLE):
            raise
        logger.warning("Connection %s: who changed is not known (request %s)", connection.pk, error.request_id)
        return UNKNOWN


def _start_tracking(client: GraphClient) -> DirectoryChanges:
    """Request a delta link for the present. Rows that a tenant lists nevertheless are ignored.

    `$deltatoken=latest` is documented in general (learn.microsoft.com/graph/delta-query-overview), but not for users,
    so nothing depends on it.
    """
    first = client.request("GET", "/users/delta", params={"$select": FULL_FIELDS, "$deltatoken": "latest"})
    return DirectoryChanges(_read_pages(client, first, set(), set()), is_complete=False)


def _changes_from(client: GraphClient, link: str) -> DirectoryChanges:
    remote_ids, user_names = set[str](), set[str]()
    sync_token = _read_pages(client, client.follow(link), remote_ids, user_names)
    if not sync_token:
        return UNKNOWN
    return DirectoryChanges(sync_token, frozenset(remote_ids), frozenset(user_names))


def _read_pages(client: GraphClient, first: Any, remote_ids: set[str], user_names: set[str]) -> str:
    """Collect ids and names of changed users. Return the next delta link, "" if reading takes too long."""
    read_until = monotonic() + settings.CELERY_TASK_TIME_LIMIT * SHARE_OF_TASK
    for page in client.pages_from(first):
        _collect_users(page.get("value", ()), remote_ids, user_names)
        if is_graph_link(page.get("@odata.deltaLink")):
            return str(page["@odata.deltaLink"])
        if monotonic() > read_until:
            return ""
    raise client.unknown_shape("changes without a link for the next time")


def _collect_users(rows: Iterable[Mapping[str, Any]], remote_ids: set[str], user_names: set[str]) -> None:
    """Add the rows' ids and names. A deleted user (`@removed`) has only an id."""
    for row in rows:
        if isinstance(row.get("id"), str):
            remote_ids.add(row["id"])
        name = row.get("userPrincipalName")
        if isinstance(name, str):
            user_names.add(name.casefold())

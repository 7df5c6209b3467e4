"""Who changed in the tenant, by Graph's delta query (learn.microsoft.com/graph/delta-query-users)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Final

from django.conf import settings

from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import Changes, PlatformError
from integrations.teams.graph.client import GraphClient
from integrations.teams.users.parse import FULL_FIELDS

logger = logging.getLogger(__name__)

# The delta query needs it, for a person as for an app (microsoft-graph-devx-content, permissions.json).
NEEDED: Final = "User.Read.All"
# After so much of a task's time limit it is cheaper to look people up than to read on who changed.
SHARE_OF_TASK: Final = 1 / 4
UNKNOWN: Final = Changes(mark="", is_complete=False)


def changes_since(connection: Connection, mark: str) -> Changes | None:
    """Who changed since `mark`, which is Graph's delta link; "" takes one from now on. None where it is not granted.

    Raises PlatformError. A link that Graph does not know any more (410, resyncRequired, syncStateNotFound) is no error:
    nothing is known then, and the next time begins anew.
    """
    if not connection.teams.has(NEEDED):
        return None
    client = GraphClient(connection)
    try:
        return _followed(client, mark) if mark else _from_now_on(client)
    except PlatformError as error:
        # Graph refuses the question itself: the link is too old, or a tenant that moved.
        if error.kind != ErrorKind.BUG:
            raise
        logger.warning(
            "Connection %s: who changed is not known (request %s)", connection.pk, error.request_id
        )
        return UNKNOWN


def _from_now_on(client: GraphClient) -> Changes:
    """`latest` gives a link without anybody's row. Should a tenant list everybody all the same, they are passed over.

    (learn.microsoft.com/graph/delta-query-overview; for users it is not in the reference, so nothing hangs on it.)
    """
    first = client.request("GET", "/users/delta", params={"$select": FULL_FIELDS, "$deltatoken": "latest"})
    return Changes(_read(client, first, set(), set()), is_complete=False)


def _followed(client: GraphClient, link: str) -> Changes:
    remote_ids, user_names = set[str](), set[str]()
    mark = _read(client, client.follow(link), remote_ids, user_names)
    if not mark:
        return UNKNOWN
    return Changes(mark, frozenset(remote_ids), frozenset(user_names))


def _read(client: GraphClient, first: Any, remote_ids: set[str], user_names: set[str]) -> str:
    """Collect who is on the pages; the link for the next time, "" where there are too many pages."""
    read_until = monotonic() + settings.MEETING_TASK_TIME_LIMIT * SHARE_OF_TASK
    for page in client.whole_pages(first):
        _collect(page.get("value", ()), remote_ids, user_names)
        if "@odata.deltaLink" in page:
            return str(page["@odata.deltaLink"])
        if monotonic() > read_until:
            return ""
    raise client.unknown_shape("changes without a link for the next time")


def _collect(rows: Iterable[Mapping[str, Any]], remote_ids: set[str], user_names: set[str]) -> None:
    """Somebody who left (`@removed`) has an id alone."""
    for row in rows:
        remote_ids.add(str(row.get("id")))
        name = row.get("userPrincipalName")
        if isinstance(name, str):
            user_names.add(name.casefold())

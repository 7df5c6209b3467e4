"""App-only tokens of access-policy connections: fetched when needed, cached in process memory, never stored.

A cached token belongs to one token_version, so that Reauthorize and Disconnect invalidate it in every process.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from integrations.connections.lifecycle import require_reauthorization
from integrations.messages import Message
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in
from integrations.teams.entra.messages import EntraMessage
from integrations.teams.entra.token_pauses import respecting_pause
from integrations.teams.entra.token_responses import AppToken
from integrations.teams.metrics import count_token_request
from integrations.teams.models import TeamsConnection

# A token with less time left is renewed.
_MARGIN_SECONDS: Final = 300
# For some time after a consent, Microsoft may still issue tokens without its roles
# (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow; how long is not documented).
CONSENT_DELAY: Final = timedelta(minutes=10)

# By connection id: (token_version, token). MSAL doesn't merge concurrent requests, so each connection has a lock.
_cached: dict[int, tuple[int, AppToken]] = {}
_locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


def access_token(row: TeamsConnection, *, refused: str = "") -> str:
    """Return a valid app-only token. `refused` is a token that Graph answered with 401; it isn't returned again.

    Must not run in a transaction, because it may call Microsoft. Raises PlatformError: CONNECTION if the consent is
    gone (recorded on the connection), OPERATOR if the app credentials are refused, THROTTLED during a pause, OUTAGE
    without a response.
    """
    with _locks[row.connection_id]:
        cached = _cached_token(row, refused)
        if cached is not None and cached.expires_at - time.time() > _MARGIN_SECONDS:
            return cached.access_token
        try:
            return _fetch_token(row).access_token
        except PlatformError as problem:
            if problem.kind == ErrorKind.CONNECTION or cached is None:
                raise
            return cached.access_token


def renew_token(row: TeamsConnection) -> None:
    """Fetch a new token even if the cached one is valid, which stays if that fails. Raises as `access_token` does."""
    with _locks[row.connection_id]:
        _fetch_token(row)


def forget_token(connection_id: int) -> None:
    """Drop the cached token of a connection, so that the next token shows the current consent."""
    _cached.pop(connection_id, None)


def _cached_token(row: TeamsConnection, refused: str) -> AppToken | None:
    version, token = _cached.get(row.connection_id, (0, None))
    is_usable = token is not None and version == row.token_version and token.access_token != refused
    return token if is_usable and token is not None and token.expires_at > time.time() else None


def _fetch_token(row: TeamsConnection) -> AppToken:
    """Request a token, store its roles, and record a missing consent on the connection."""
    guarded = TeamsConnection.objects.filter(pk=row.pk, token_version=row.token_version)
    try:
        with respecting_pause(row.connection_id), count_token_request():
            token = sign_in.acquire_app_token(str(row.tenant_id))
        _require_roles(row, token)
    except PlatformError as problem:
        if problem.kind == ErrorKind.CONNECTION:
            forget_token(row.connection_id)
            require_reauthorization(Connection.objects.filter(teams__in=guarded.values("pk")), problem.message)
        raise
    guarded.update(granted=list(token.roles), refreshed_at=Now())
    _cached[row.connection_id] = (row.token_version, token)
    return token


def _require_roles(row: TeamsConnection, token: AppToken) -> None:
    if not token.missing_roles:
        return
    if TeamsConnection.objects.filter(pk=row.pk, consented_at__gt=Now() - CONSENT_DELAY).exists():
        raise PlatformError(ErrorKind.OUTAGE, Message(EntraMessage.CONSENT_PENDING))
    raise PlatformError(ErrorKind.CONNECTION, Message(EntraMessage.ROLES_MISSING, {"roles": token.missing_roles}))

"""Delegated access tokens: used without a lock while valid, refreshed under a lease on the TeamsConnection row.

Each refresh returns a new refresh token, and the old one stays valid
(learn.microsoft.com/entra/identity-platform/refresh-tokens). A lost refresh is therefore harmless. A slow refresh must
not overwrite a Reauthorize or Disconnect, so every write requires the token_version and lease that were read.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.connections.lifecycle import require_reauthorization
from integrations.encryption import Unreadable
from integrations.messages import Message
from integrations.models import Connection, ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import app_tokens, sign_in
from integrations.teams.entra.messages import EntraMessage
from integrations.teams.entra.token_pauses import respecting_pause
from integrations.teams.entra.token_responses import Tokens
from integrations.teams.metrics import count_token_request
from integrations.teams.models import Method, TeamsConnection

# A token with less time left is refreshed. Meanwhile, other processes still use it.
_MARGIN_SECONDS: Final = 300
_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
KEEP_ALIVE_AFTER: Final = timedelta(days=1)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _TokenState:
    """Tokens and version of the row as read."""

    pk: int
    connection_id: int
    tenant_id: str
    version: int
    access_token: str
    seconds_left: float
    refresh_token: str
    refreshed_at: datetime

    def is_valid(self, refused: str) -> bool:
        return bool(self.access_token) and self.access_token != refused and self.seconds_left > 0

    def is_fresh(self, refused: str) -> bool:
        return self.is_valid(refused) and self.seconds_left > _MARGIN_SECONDS


class IssuedToken(NamedTuple):
    """An access token and the token_version it belongs to."""

    token: str
    token_version: int


def access_token(connection: Connection, *, refused: str = "") -> str:
    """Return a valid access token. See `current_token`."""
    return current_token(connection, refused=refused).token


def current_token(connection: Connection, *, refused: str = "") -> IssuedToken:
    """Return a valid access token: delegated or app-only, according to the connection's method.

    `refused` is a token that Graph answered with 401; it isn't returned again. Must not run in a transaction, because
    it may call Microsoft.

    Raises PlatformError: CONNECTION if an admin must reauthorize (recorded on the connection), OPERATOR if the app
    credentials are refused, THROTTLED during a pause, OUTAGE if Microsoft or the refreshing process doesn't answer in
    time.
    """
    row = connected_row(connection)
    if row.method == Method.ACCESS_POLICY:
        return IssuedToken(app_tokens.access_token(row, refused=refused), row.token_version)
    if isinstance(row.tokens, Unreadable):
        raise PlatformError(ErrorKind.OPERATOR, Message(EntraMessage.TOKENS_UNREADABLE))
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        state = _token_state(row)
        if state.is_fresh(refused):
            return IssuedToken(state.access_token, state.version)
        lease = _acquire_lease(state)
        refreshed = _refresh(state, lease, refused) if lease is not None else None
        if refreshed is not None:
            return IssuedToken(refreshed, state.version)
        if lease is None and state.is_valid(refused):
            return IssuedToken(state.access_token, state.version)
        if time.monotonic() > deadline:
            raise PlatformError(ErrorKind.OUTAGE, Message(EntraMessage.REFRESH_SLOW))
        time.sleep(_POLL_SECONDS)
        row = connected_row(connection)


def token_columns(tokens: Tokens) -> dict[str, object]:
    """Return the columns that new tokens fill."""
    return {"tokens": tokens.as_stored(), "granted": list(tokens.granted), "refreshed_at": Now()}


def forget_tokens(connection: Connection) -> None:
    """Delete the stored tokens. A refresh in flight writes nothing."""
    TeamsConnection.objects.filter(connection=connection).replace_tokens(tokens={})


def due_for_keep_alive() -> QuerySet[Connection]:
    """Return connected connections without a new token for a day.

    A refresh token expires after 90 days without use, and a daily refresh finds revoked consents
    (learn.microsoft.com/entra/identity-platform/refresh-tokens).
    """
    return Connection.objects.filter(
        status=ConnectionStatus.CONNECTED, teams__refreshed_at__lt=Now() - KEEP_ALIVE_AFTER
    )


def keep_alive(connection: Connection) -> None:
    """Refresh the tokens even if they are still valid. Raises PlatformError as `current_token` does."""
    row = connected_row(connection)
    if row.method == Method.ACCESS_POLICY:
        app_tokens.renew_token(row)
    else:
        access_token(connection, refused=row.tokens.get("access_token", ""))


def reencrypt() -> tuple[int, int]:
    """Encrypt every connection's tokens with the newest key. Return the numbers of encrypted and unreadable rows.

    Tokens that no key can decrypt stay as they are.
    """
    unreadable = 0
    pks = list(TeamsConnection.objects.order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        with transaction.atomic():
            # Locked, so that a refresh between read and write isn't lost.
            row = TeamsConnection.objects.select_for_update(no_key=True).filter(pk=pk).first()
            if row is not None:
                unreadable += isinstance(row.tokens, Unreadable)
                row.save(update_fields=["tokens"])
    return len(pks) - unreadable, unreadable


def count_unreadable() -> int:
    """Return the number of connections whose tokens no key can decrypt."""
    return sum(isinstance(row.tokens, Unreadable) for row in TeamsConnection.objects.only("tokens"))


def connected_row(connection: Connection) -> TeamsConnection:
    """Return the current row. Raises PlatformError (CONNECTION) unless the connection is connected."""
    row = TeamsConnection.objects.select_related("connection").get(connection_id=connection.pk)
    if row.connection.status != ConnectionStatus.CONNECTED:
        reason = row.connection.status_reason or Message(EntraMessage.DISCONNECTED)
        raise PlatformError(ErrorKind.CONNECTION, reason)
    return row


def _token_state(row: TeamsConnection) -> _TokenState:
    return _TokenState(
        row.pk,
        row.connection_id,
        str(row.tenant_id),
        row.token_version,
        row.tokens.get("access_token", ""),
        row.tokens.get("expires_at", 0) - time.time(),
        row.tokens.get("refresh_token", ""),
        row.refreshed_at,
    )


def _acquire_lease(state: _TokenState) -> uuid.UUID | None:
    """Acquire the lease, unless another process holds it or the row changed since it was read."""
    lease = uuid.uuid4()
    # Longer than the two requests of a refresh can take.
    seconds = 2 * (settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS + settings.MICROSOFT_READ_TIMEOUT_SECONDS) + 5
    row = TeamsConnection.objects.filter(pk=state.pk, token_version=state.version, refreshed_at=state.refreshed_at)
    return lease if row.acquire_lease(lease, timedelta(seconds=seconds)) else None


def _release_lease(state: _TokenState, lease: uuid.UUID, **fields: Any) -> int:
    """Release the lease and write `fields`, unless the sign-in was replaced or another process holds the lease."""
    row = TeamsConnection.objects.filter(pk=state.pk, token_version=state.version)
    return row.release_lease(lease, **fields)


def _refresh(state: _TokenState, lease: uuid.UUID, refused: str) -> str | None:
    """Refresh the tokens and return the access token. None: the row changed meanwhile and must be read again."""
    try:
        with respecting_pause(state.connection_id), count_token_request():
            tokens = sign_in.refresh_tokens(state.tenant_id, state.refresh_token)
    except PlatformError as problem:
        return _handle_refresh_failure(state, lease, refused, problem)
    is_stored = _release_lease(state, lease, **token_columns(tokens))
    if not is_stored:
        logger.info("Refreshed tokens of connection %s came too late and were dropped", state.connection_id)
    return tokens.access_token if is_stored else None


def _handle_refresh_failure(state: _TokenState, lease: uuid.UUID, refused: str, problem: PlatformError) -> str | None:
    """Return the stored token if it is still valid, None if the row must be read again, or raise the problem."""
    if problem.kind == ErrorKind.CONNECTION:
        if _record_lost_sign_in(state, lease, problem.message):
            raise problem
        return None
    if state.is_valid(refused):
        # Keep the lease until it ends, so that other processes use this token and don't refresh again.
        return state.access_token
    _release_lease(state, lease)
    raise problem


def _record_lost_sign_in(state: _TokenState, lease: uuid.UUID, reason: Message) -> bool:
    """Record that an admin must reauthorize. Return False if the sign-in was replaced meanwhile."""
    guarded = Connection.objects.filter(
        pk=state.connection_id, teams__token_version=state.version, teams__lease_token=lease
    )
    is_recorded = require_reauthorization(guarded, reason)
    _release_lease(state, lease)
    return is_recorded

"""Access tokens. Delegated ones are used without a lock while they live, and renewed by whoever holds the lease.

Microsoft's refresh tokens roll: each renewal brings a new one, and the old one stays valid
(learn.microsoft.com/entra/identity-platform/refresh-tokens), so a renewal that is lost does no harm. What would do
harm is a slow renewal that overwrites a Reauthorize or a Disconnect: everything is written only while the row has
the token_version and the lease that were read.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import require_reauthorization
from integrations.encryption import Unreadable
from integrations.leases import NO_LEASE
from integrations.models import Connection, ConnectionStatus
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import app_tokens, sign_in
from integrations.teams.metrics import counted
from integrations.teams.models import Method, TeamsConnection

# A token with less left than this is renewed, while others go on using it.
_MARGIN_SECONDS: Final = 300
_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
KEEP_ALIVE_AFTER: Final = timedelta(days=1)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Stored:
    """One reading of the row."""

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


class Access(NamedTuple):
    """A token, and which of the connection's sign-ins it belongs to."""

    token: str
    token_version: int


def access_token(connection: Connection, *, refused: str = "") -> str:
    """The token of `current_access`."""
    return current_access(connection, refused=refused).token


def current_access(connection: Connection, *, refused: str = "") -> Access:
    """A valid access token, of the service account or of Coconut itself, as the connection's method wants it.

    `refused` is one that Graph has just answered 401 to: it is not given again.

    May call Microsoft, so no transaction may be open. Raises PlatformError: CONNECTION when an admin must
    reauthorize (recorded on the connection), OPERATOR when Coconut's own credentials are refused, OUTAGE when
    Microsoft, or whoever is renewing, does not answer in time.
    """
    row = connected_row(connection)
    if row.method == Method.ACCESS_POLICY:
        return Access(app_tokens.access_token(row, refused=refused), row.token_version)
    if isinstance(row.tokens, Unreadable):
        raise PlatformError(
            ErrorKind.OPERATOR,
            _(
                "Coconut cannot read the sign-in that it keeps: the keys of this installation are not those it was "
                "stored with. That is for whoever runs Coconut to mend; Reauthorize helps at once."
            ),
        )
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        stored = _stored(row)
        if stored.is_fresh(refused):
            return Access(stored.access_token, stored.version)
        lease = _claim(stored)
        renewed = _renew(stored, lease, refused) if lease is not None else None
        if renewed is not None:
            return Access(renewed, stored.version)
        if lease is None and stored.is_valid(refused):
            return Access(stored.access_token, stored.version)
        if time.monotonic() > deadline:
            raise PlatformError(ErrorKind.OUTAGE, _("Microsoft takes too long to renew the sign-in."))
        time.sleep(_POLL_SECONDS)
        row = connected_row(connection)


def store(tokens: sign_in.Tokens) -> dict[str, object]:
    """The columns that new tokens fill."""
    return {"tokens": tokens.as_stored(), "granted": list(tokens.granted), "refreshed_at": Now()}


def forget(connection: Connection) -> None:
    """Drop the tokens. A renewal that is under way finds another version, and its tokens go nowhere."""
    TeamsConnection.objects.filter(connection=connection).update(
        tokens={}, token_version=F("token_version") + 1, **NO_LEASE
    )


def resting() -> QuerySet[Connection]:
    """Healthy connections that got no token for a day: 90 days end a refresh token, and a consent may be gone."""
    return Connection.objects.filter(
        status=ConnectionStatus.CONNECTED, teams__refreshed_at__lt=Now() - KEEP_ALIVE_AFTER
    )


def keep_alive(connection: Connection) -> None:
    """Renew the tokens of a connection, whatever is left of them. Raises PlatformError as `access_token` does."""
    app_tokens.forget(connection.pk)
    access_token(connection, refused=connected_row(connection).tokens.get("access_token", ""))


def reencrypt() -> tuple[int, int]:
    """Encrypt every connection's tokens with the newest key: how many were, and how many no key can read.

    Those are left as they are.
    """
    unreadable = 0
    pks = list(TeamsConnection.objects.order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        with transaction.atomic():
            # Locked, so that no renewal gets lost between reading and writing.
            row = TeamsConnection.objects.select_for_update(no_key=True).filter(pk=pk).first()
            if row is not None:
                unreadable += isinstance(row.tokens, Unreadable)
                row.save(update_fields=["tokens"])
    return len(pks) - unreadable, unreadable


def unreadable() -> int:
    """How many connections have tokens that no key can read."""
    return sum(isinstance(row.tokens, Unreadable) for row in TeamsConnection.objects.only("tokens"))


def connected_row(connection: Connection) -> TeamsConnection:
    """The connection's row as it is now. Raises PlatformError (CONNECTION) unless it is connected."""
    row = TeamsConnection.objects.select_related("connection").get(connection_id=connection.pk)
    if row.connection.status != ConnectionStatus.CONNECTED:
        reason = row.connection.status_reason or _("Microsoft Teams is disconnected.")
        raise PlatformError(ErrorKind.CONNECTION, reason)
    return row


def _stored(row: TeamsConnection) -> _Stored:
    return _Stored(
        row.pk,
        row.connection_id,
        str(row.tenant_id),
        row.token_version,
        row.tokens.get("access_token", ""),
        row.tokens.get("expires_at", 0) - time.time(),
        row.tokens.get("refresh_token", ""),
        row.refreshed_at,
    )


def _claim(stored: _Stored) -> uuid.UUID | None:
    """Take the lease unless somebody has it, or tokens have changed since they were read."""
    lease = uuid.uuid4()
    # Longer than the two requests of a renewal can take.
    seconds = 2 * (settings.MICROSOFT_CONNECT_TIMEOUT_SECONDS + settings.MICROSOFT_READ_TIMEOUT_SECONDS) + 5
    claimed = TeamsConnection.objects.filter(
        pk=stored.pk, token_version=stored.version, refreshed_at=stored.refreshed_at
    ).acquire_lease(lease, timedelta(seconds=seconds))
    return lease if claimed else None


def _held(stored: _Stored, lease: uuid.UUID) -> QuerySet[TeamsConnection]:
    return TeamsConnection.objects.held_by(lease).filter(pk=stored.pk, token_version=stored.version)


def _renew(stored: _Stored, lease: uuid.UUID, refused: str) -> str | None:
    """A new token; None when the row has changed meanwhile and must be read again."""
    try:
        with counted():
            tokens = sign_in.refresh(stored.tenant_id, stored.refresh_token)
    except PlatformError as problem:
        return _after_failure(stored, lease, refused, problem)
    kept = _held(stored, lease).update(**store(tokens), **NO_LEASE)
    if not kept:
        logger.info("Renewed tokens of connection %s came too late and were dropped", stored.connection_id)
    return tokens.access_token if kept else None


def _after_failure(stored: _Stored, lease: uuid.UUID, refused: str, problem: PlatformError) -> str | None:
    """What is left when Microsoft gave no tokens: one that lives a while longer, what others got, or the problem."""
    if problem.kind == ErrorKind.CONNECTION:
        if _give_up(stored, lease, problem.sentence):
            raise problem
        return None
    if stored.is_valid(refused):
        # The lease is kept until it ends by itself: a pause in which everybody uses this token.
        return stored.access_token
    _held(stored, lease).update(**NO_LEASE)
    raise problem


def _give_up(stored: _Stored, lease: uuid.UUID, sentence: str) -> bool:
    """Record that an admin must reauthorize; False when the tokens have been replaced meanwhile."""
    guarded = Connection.objects.filter(
        pk=stored.connection_id, teams__token_version=stored.version, teams__lease_token=lease
    )
    is_recorded = require_reauthorization(guarded, sentence)
    _held(stored, lease).update(**NO_LEASE)
    return is_recorded

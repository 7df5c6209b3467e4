"""Tokens of Coconut itself, for connections by access policy: fetched when needed, kept in this process's memory.

They are stored nowhere: the client secret gets another one at any time. Like delegated tokens they belong to one
token_version, so that Reauthorize and Disconnect end them in every process.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import require_reauthorization
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in
from integrations.teams.metrics import counted
from integrations.teams.models import TeamsConnection

# A token with less left than this is renewed.
_MARGIN_SECONDS: Final = 300
# So long after a consent Microsoft may still issue tokens that do not show it
# (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow; how long is not documented).
SETTLING: Final = timedelta(minutes=10)

# By connection: (token_version, token). MSAL has no single flight, hence a lock for each connection.
_kept: dict[int, tuple[int, sign_in.AppToken]] = {}
_locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


def access_token(row: TeamsConnection, *, refused: str = "") -> str:
    """A valid app-only token. `refused` is one that Graph has just answered 401 to: it is not given again.

    May call Microsoft, so no transaction may be open. Raises PlatformError: CONNECTION when the consent is gone
    (recorded on the connection), OPERATOR when Coconut's own credentials are refused, OUTAGE without an answer.
    """
    with _locks[row.connection_id]:
        kept = _still_valid(row, refused)
        if kept is not None and kept.expires_at - time.time() > _MARGIN_SECONDS:
            return kept.access_token
        try:
            return _fetch(row).access_token
        except PlatformError as problem:
            if problem.kind == ErrorKind.CONNECTION or kept is None:
                raise
            return kept.access_token


def forget(connection_id: int) -> None:
    """Drop what this process keeps for a connection, so that the next token shows what is consented to now."""
    _kept.pop(connection_id, None)


def _still_valid(row: TeamsConnection, refused: str) -> sign_in.AppToken | None:
    version, token = _kept.get(row.connection_id, (0, None))
    is_usable = token is not None and version == row.token_version and token.access_token != refused
    return token if is_usable and token is not None and token.expires_at > time.time() else None


def _fetch(row: TeamsConnection) -> sign_in.AppToken:
    """Ask Microsoft, and record what the answer says about the consent."""
    guarded = TeamsConnection.objects.filter(pk=row.pk, token_version=row.token_version)
    try:
        with counted():
            token = sign_in.app_token(str(row.tenant_id))
        _check_roles(row, token)
    except PlatformError as problem:
        if problem.kind == ErrorKind.CONNECTION:
            forget(row.connection_id)
            require_reauthorization(
                Connection.objects.filter(teams__in=guarded.values("pk")), problem.sentence
            )
        raise
    guarded.update(granted=list(token.roles), refreshed_at=Now())
    _kept[row.connection_id] = (row.token_version, token)
    return token


def _check_roles(row: TeamsConnection, token: sign_in.AppToken) -> None:
    if not token.missing_roles:
        return
    if TeamsConnection.objects.filter(pk=row.pk, consented_at__gt=Now() - SETTLING).exists():
        raise PlatformError(
            ErrorKind.OUTAGE, _("The consent given at Microsoft takes a few minutes until it shows.")
        )
    raise PlatformError(ErrorKind.CONNECTION, consent_missing(token.missing_roles))


def consent_missing(roles: list[str]) -> str:
    """The sentence that names the application permissions which nobody consented to."""
    return _(
        "Microsoft does not grant Coconut the permissions %(roles)s. An administrator with the role Privileged Role "
        "Administrator or Global Administrator consents to them: use Reauthorize."
    ) % {"roles": ", ".join(roles)}

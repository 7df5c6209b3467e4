"""A recreated service account that waits in the session until the admin decides whether to use it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from integrations.encryption import decrypt_json, encrypt_json
from integrations.messages import Message
from integrations.teams.connect.session import PENDING_SIGN_IN_SECONDS, PendingSignInExpired
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra.id_token import Identity
from integrations.teams.entra.token_responses import Tokens

_KEY: Final = "teams_pending_account"


def keep_pending_account(session: SessionBase, connection_id: int, account: VerifiedServiceAccount) -> None:
    """Store an account with its tokens. They are encrypted, as in the connection's row."""
    session[_KEY] = {
        "connection_id": connection_id,
        "account": encrypt_json(_account_to_json(account)),
        "started_at": time.time(),
    }


def pending_account(session: SessionBase, connection_id: int) -> VerifiedServiceAccount:
    """Return the account that signed in for this connection in the last 15 minutes. Raises PendingSignInExpired."""
    entry = session.get(_KEY, {})
    is_recent = entry.get("started_at", 0) >= time.time() - PENDING_SIGN_IN_SECONDS
    if entry.get("connection_id") != connection_id or not is_recent:
        raise _expired()
    try:
        return _account_from_json(decrypt_json(entry["account"]))
    except InvalidToken as error:
        raise _expired() from error


def forget_pending_account(session: SessionBase) -> None:
    """Remove the account from the session."""
    session.pop(_KEY, None)


def _expired() -> PendingSignInExpired:
    return PendingSignInExpired(_("The sign-in at Microsoft took longer than 15 minutes, or was used before."))


def _account_to_json(account: VerifiedServiceAccount) -> dict[str, Any]:
    # A service account's sign-in asks for no administrator roles.
    identity = {**asdict(account.identity), "directory_roles": None}
    return {
        "identity": identity,
        "tokens": asdict(account.tokens),
        "tenant_name": account.tenant_name,
        "warning": account.warning.as_json(),
    }


def _account_from_json(stored: Mapping[str, Any]) -> VerifiedServiceAccount:
    tokens = Tokens(**{**stored["tokens"], "granted": tuple(stored["tokens"]["granted"])})
    warning = Message.from_json(stored["warning"])
    return VerifiedServiceAccount(Identity(**stored["identity"]), tokens, stored["tenant_name"], warning)

"""JSON values and a model field, encrypted at rest with the keys in the `ENCRYPTION_KEYS` setting."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def cipher() -> MultiFernet:
    """Return the cipher with all configured keys: the first encrypts, and any of them decrypts."""
    if not settings.ENCRYPTION_KEYS:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is not set.")
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def encrypt_json(value: Any) -> str:
    """Return the JSON value as a Fernet token."""
    return cipher().encrypt(json.dumps(value).encode()).decode()


def decrypt_json(token: str) -> Any:
    """Return the value of `encrypt_json`. Raises cryptography.fernet.InvalidToken if none of our keys decrypts it."""
    return json.loads(cipher().decrypt(token.encode()))


class Unreadable(dict[str, Any]):
    """A value that none of our keys decrypts: an empty dict that is saved back unchanged.

    Pages still open, and the value is readable again once the right keys are set.
    """

    def __init__(self, stored: str) -> None:
        super().__init__()
        self.stored = stored


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]
    """A JSON value stored as a Fernet token. It can't be used in filters, and forms and the admin don't show it."""

    # For the type checker's plugin: any JSON value may be set and is read back.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        try:
            return decrypt_json(value)
        except InvalidToken:
            return Unreadable(value)

    def get_prep_value(self, value: Any) -> str | None:
        if isinstance(value, Unreadable):
            return value.stored
        return None if value is None else encrypt_json(value)

    def to_python(self, value: Any) -> Any:
        return value

"""Django's sessions in the database, read by a statement that is written by hand: every page waits for it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone


class SessionStore(db.SessionStore):
    """As Django's, under the same name, which is part of what sessions are signed with."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing, and a new key, where it is unknown or over."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(row[0])
        return held


_LOAD: Final = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"

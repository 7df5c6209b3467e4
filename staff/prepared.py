"""Statements that the database plans once a connection: for those that take longer to plan than to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from django.db import NotSupportedError, connection
from django.db.backends.utils import CursorWrapper


class Prepared:
    """A statement by its name, which no other has.

    Where a pooler lends connections out by the transaction, which Django must be told by
    DISABLE_SERVER_SIDE_CURSORS, it is sent as any other.
    """

    def __init__(self, name: str, sql: str, types: Mapping[str, str]) -> None:
        """`types` are PostgreSQL's, by the names of the parameters."""
        places = {parameter: f"${number}" for number, parameter in enumerate(types, start=1)}
        self._plain = sql
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {sql % places}"
        self._forget = f"DEALLOCATE {name}"
        self._execute = f"EXECUTE {name} ({', '.join(f'%({parameter})s' for parameter in types)})"
        self._prepared_on: WeakSet[Any] = WeakSet()

    def execute(self, cursor: CursorWrapper, parameters: Mapping[str, Any]) -> None:
        """As `cursor.execute`."""
        if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            cursor.execute(self._plain, parameters)
            return
        if cursor.connection not in self._prepared_on:
            self._run(cursor, self._prepare)
            self._prepared_on.add(cursor.connection)
        try:
            cursor.execute(self._execute, parameters)
        except NotSupportedError:
            # A migration has changed the type of a column since: no connection has to end for that.
            if connection.in_atomic_block:
                raise
            self._run(cursor, f"{self._forget}; {self._prepare}")
            cursor.execute(self._execute, parameters)

    @staticmethod
    def _run(cursor: CursorWrapper, statement: str) -> None:
        # By a cursor of the driver's: it is no query of the page that happens to be the first.
        with connection.wrap_database_errors, cursor.connection.cursor() as driver:
            driver.execute(statement)

"""Search every column of every table of the database for texts."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from psycopg2 import sql

_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, 2
"""


def columns_containing(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return "table.column" for each column with one of the texts, compared without case, and the texts found there.

    Columns of all types are read as text, so JSON, arrays and types of the future count too.
    """
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column in cursor.fetchall():
            statement = sql.SQL("SELECT 1 FROM {} WHERE STRPOS(LOWER({}::text), LOWER(%s)) > 0 LIMIT 1")
            for text in texts:
                cursor.execute(statement.format(sql.Identifier(table), sql.Identifier(column)), [text])
                if cursor.fetchone():
                    found.setdefault(f"{table}.{column}", []).append(text)
    return found

"""Append-only tables: a trigger in the database refuses to change, delete or truncate rows that were written.

A table becomes append-only by the operation `append_only` in a migration of its app. Two functions lift the refusal
until their block ends: `erasing` to blank personal data, and `purging` to remove rows altogether.

The trigger stops mistakes and queries of the application. The owner of the table can still drop it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction
from django.db.migrations import RunSQL

_ERASE: Final = "coconut.erase"
_PURGE: Final = "coconut.purge"

# The same for all tables. Its arguments are the columns that an erasure may change.
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION coconut_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF current_setting('{_ERASE}', true) = 'on' AND TG_NARGS > 0
            AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV
        THEN
            RETURN NEW;
        END IF;
    ELSIF current_setting('{_PURGE}', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""
_TRIGGERS: Final = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}"
    FOR EACH ROW EXECUTE FUNCTION coconut_append_only({columns});
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "{table}"
    FOR EACH STATEMENT EXECUTE FUNCTION coconut_append_only();
"""
_NO_TRIGGERS: Final = """
DROP TRIGGER append_only ON "{table}";
DROP TRIGGER append_only_truncate ON "{table}"
"""


def append_only(table: str, *, erasable: Sequence[str] = ()) -> RunSQL:
    """Return the migration operation that makes a table append-only. `erasing` may change the columns `erasable`.

    The database refuses any other UPDATE, DELETE or TRUNCATE with an IntegrityError.
    """
    columns = ", ".join(f"'{column}'" for column in erasable)
    return RunSQL(
        [_FUNCTION, _TRIGGERS.format(table=table, columns=columns)], reverse_sql=[_NO_TRIGGERS.format(table=table)]
    )


@contextmanager
def erasing() -> Iterator[None]:
    """Let UPDATE change the erasable columns of append-only tables, in a transaction that ends with the block.

    Only the erasure of a person's data uses it. All other columns stay as they were written.
    """
    with _lifted(_ERASE):
        yield


@contextmanager
def purging() -> Iterator[None]:
    """Let DELETE and TRUNCATE remove rows of append-only tables, in a transaction that ends with the block.

    For the removal of a whole organisation, and of the rows that a test made.
    """
    with _lifted(_PURGE):
        yield


@contextmanager
def _lifted(setting: str) -> Iterator[None]:
    with transaction.atomic():
        before = _setting(setting)
        _set_locally(setting, "on")
        yield
        # The setting would last until the end of an outer transaction. A rollback restores it.
        _set_locally(setting, before)


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [name])
        return str(cursor.fetchone()[0])


def _set_locally(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])

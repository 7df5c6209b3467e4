"""Empty the database quickly after each test that commits.

Django's `flush` truncates every table and emits `post_migrate`. PostgreSQL writes a new file for each truncated table,
so that takes longer than most tests. Deleting the few rows of a test takes milliseconds.
"""

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

#: Tables that `post_migrate` fills.
_KEPT = {ContentType._meta.db_table, Permission._meta.db_table}


def install() -> None:
    """Replace the clean-up of TransactionTestCase, which pytest-django uses for `transaction=True`."""
    TransactionTestCase._fixture_teardown = _delete_rows  # type: ignore[attr-defined]


def _delete_rows(case: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        # One implicit transaction: foreign keys are checked at its end, so the order doesn't matter.
        cursor.execute(delete_statements())


@cache
def delete_statements() -> str:
    """Return the statements that empty all tables, for one call of `execute`."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # Rows of append-only tables may only be deleted with this setting, which ends with the transaction.
    purge = "SELECT set_config('coconut.purge', 'on', true)"
    return ";".join([purge, *(f'DELETE FROM "{table}"' for table in sorted(set(tables) - _KEPT))])

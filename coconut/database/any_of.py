"""Condition for thousands of values: the values are one parameter, where `__in` has one for each of them."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler


class AnyOf(Lookup):
    """True where the column has one of these integers: `filter(AnyOf(F("staff"), pks))`."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        """Return the condition with the values as one literal, which PostgreSQL parses faster than a list."""
        column, parameters = self.process_lhs(compiler, connection)
        values = ",".join(str(int(value)) for value in self.rhs)
        return f"{column} = ANY(%s::bigint[])", (*parameters, f"{{{values}}}")

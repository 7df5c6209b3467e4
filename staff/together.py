"""Rows of several models from one statement that is written by hand, for the few that every booking waits for.

Django's own `select_related` says the same in a line, and spends more time on putting the statement together than the
database on answering it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Model

Convert = Callable[[Any, Any, Any], Any]


def fetch_together(
    models: Mapping[str, type[Model]], source: str, parameters: Mapping[str, Any]
) -> Iterator[list[Any]]:
    """An instance of each model a row, None where an outer join found nothing.

    `models` are by their alias in `source`, which is what follows their columns: FROM, WHERE and so on. Where it
    begins with a comma and more expressions, their values come after the instances.
    """
    columns = ", ".join(_columns(alias, model) for alias, model in models.items())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {source}", parameters)
        rows = cursor.fetchall()
    for row in rows:
        values = iter(row)
        found = [_instance(model, [*islice(values, len(_names(model)))]) for model in models.values()]
        yield [*found, *values]


def _instance(model: type[Model], values: list[Any]) -> Model | None:
    if values[0] is None:
        return None
    for place, convert in _converters(model):
        values[place] = convert(values[place], None, connection)
    return model.from_db(connection.alias, _names(model), values)


@cache
def _columns(alias: str, model: type[Model]) -> str:
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


@cache
def _names(model: type[Model]) -> list[str]:
    """The fields, the key first: what has none is not there."""
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _converters(model: type[Model]) -> list[tuple[int, Convert]]:
    """What the database's value of a field must become, by the field's place."""
    fields = enumerate(model._meta.concrete_fields)
    return [(place, field.from_db_value) for place, field in fields if hasattr(field, "from_db_value")]

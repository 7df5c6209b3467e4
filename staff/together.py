"""Rows of several models read or written by one statement, for the few that every booking waits for.

Django's own `select_related` and `save` say the same in a line, and spend more time on putting the statements together
than the database on answering them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

from staff.prepared import Prepared

Convert = Callable[[Any, Any, Any], Any]


def fetch_together(
    models: Mapping[str, type[Model]], source: str, parameters: Mapping[str, Any]
) -> Iterator[list[Any]]:
    """An instance of each model a row, None where an outer join found nothing.

    `models` are by their alias in `source`, which is what follows their columns: FROM, WHERE and so on. Where it
    begins with a comma and more expressions, their values come after the instances.
    """
    with connection.cursor() as cursor:
        cursor.execute(_select(models, source), parameters)
        rows = cursor.fetchall()
    return _unpacked(models, rows)


class Together:
    """`fetch_together` that is planned once a connection, for what is asked before each booking."""

    def __init__(
        self, name: str, models: Mapping[str, type[Model]], source: str, types: Mapping[str, str]
    ) -> None:
        """See `Prepared` for the name and the types."""
        self._models = models
        self._prepared = Prepared(name, _select(models, source), types)

    def fetch(self, parameters: Mapping[str, Any]) -> Iterator[list[Any]]:
        """The rows, as those of `fetch_together`."""
        with connection.cursor() as cursor:
            self._prepared.execute(cursor, parameters)
            rows = cursor.fetchall()
        return _unpacked(self._models, rows)


def _select(models: Mapping[str, type[Model]], source: str) -> str:
    columns = ", ".join(_columns(alias, model) for alias, model in models.items())
    return f"SELECT {columns} {source}"


def _unpacked(models: Mapping[str, type[Model]], rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Any]]:
    for row in rows:
        values = iter(row)
        found = [_instance(model, [*islice(values, len(_names(model)))]) for model in models.values()]
        yield [*found, *values]


def insert_together(owner: Model, belongings: Iterable[Model], *, by: str) -> None:
    """Insert a new row, and new rows that point at it by their column `by`: all of them or none.

    As with `bulk_create`, nobody hears a signal. `owner` knows its key afterwards; its belongings do not know theirs.
    """
    key, values = owner._meta.pk.column, _stored(owner)
    parameters = [*values.values()]
    parts = [f"owner AS ({_into(owner, values)} VALUES ({_places(values)}) RETURNING {key})"]
    for number, row in enumerate(belongings):
        values = {column: value for column, value in _stored(row).items() if column != by}
        parameters += values.values()
        mine = f"SELECT {_places(values)}, {key} FROM owner"  # noqa: S608 - no values in it
        parts.append(f"row_{number} AS ({_into(row, [*values, by])} {mine})")
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT {key} FROM owner", parameters)  # noqa: S608 - no values in it
        [owner.pk] = cursor.fetchone()
    owner._state.adding, owner._state.db = False, connection.alias


def _into(row: Model, columns: Iterable[str]) -> str:
    names = ", ".join(map(connection.ops.quote_name, columns))
    return f"INSERT INTO {row._meta.db_table} ({names})"


def _places(values: Mapping[str, Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _stored(row: Model) -> dict[str, Any]:
    """What a new row holds, by column; what the database fills in is left to it."""
    found = {}
    for column, field in _columns_to_write(type(row)):
        value = field.pre_save(row, add=True)
        if not isinstance(value, DatabaseDefault):
            found[column] = field.get_db_prep_save(value, connection)
    return found


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


@cache
def _columns_to_write(model: type[Model]) -> list[tuple[str, Field[Any, Any]]]:
    fields = model._meta.concrete_fields
    return [(str(field.column), field) for field in fields if not (field.primary_key or field.generated)]

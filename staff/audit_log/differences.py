"""Values of a row before and after a change, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.db.models import Model

#: Changed fields in order: `{"field": name, "before": value, "after": value}`. A new row has no "before".
Changes: TypeAlias = list[dict[str, Any]]


def differences(before: Model, after: Model, fields: Iterable[str]) -> Changes:
    """Return the fields in which two states of a row differ."""
    return [
        {"field": name, "before": _as_json(before, name), "after": _as_json(after, name)}
        for name in fields
        if _attribute(before, name) != _attribute(after, name)
    ]


def first_values(row: Model, fields: Iterable[str]) -> Changes:
    """Return the fields of a new row that aren't empty."""
    values = ((name, _as_json(row, name)) for name in fields)
    return [{"field": name, "after": value} for name, value in values if value not in (None, "", [])]


def _attribute(row: Model, name: str) -> Any:
    """Return the value. That of a foreign key is its id, which needs no query."""
    return getattr(row, row._meta.get_field(name).attname)  # type: ignore[union-attr]


def _as_json(row: Model, name: str) -> Any:
    """Return text for a related row, a time zone and a decimal number, and JSON values as they are."""
    value = getattr(row, name)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Model) else value

"""Field for a date and time on a wall clock, without a time zone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _Field = models.Field[datetime | None, datetime | None]
else:
    _Field = models.Field


class LocalDateTimeField(_Field):
    """Naive datetime in a column of the type `timestamp`, which no time zone setting changes.

    Django's DateTimeField is an instant where USE_TZ is on.
    """

    description = "Date and time on a wall clock"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "timestamp without time zone"

    def get_prep_value(self, value: Any) -> datetime | None:
        """Refuse an aware datetime, whose zone would be lost."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            raise ValueError("A local time has no time zone.")
        prepared: datetime | None = super().get_prep_value(value)
        return prepared

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return value.isoformat() if value is not None else ""

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value) if value else None
        return value if isinstance(value, datetime) else None

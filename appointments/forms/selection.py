"""Selected rows of a list with several pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from appointments.models import AppointmentQuerySet
from appointments.parameters import IdField, clean_or_none


@dataclass(frozen=True)
class Selection:
    """Selected rows of one page, or `everything`: all rows of all pages except those shown but not selected."""

    everything: bool
    shown: frozenset[int]
    selected: frozenset[int]

    @classmethod
    def of(cls, form: QueryDict) -> Selection:
        """Read the checkboxes `everything` and `appointment`, and the hidden `shown`. Invalid ids are ignored."""
        selected = _ids(form.getlist("appointment"))
        return cls(form.get("everything") == "true", _ids(form.getlist("shown")), selected)

    def __bool__(self) -> bool:
        return self.everything or bool(self.selected)

    def among(self, rows: AppointmentQuerySet) -> AppointmentQuerySet:
        """Return the selected rows."""
        if self.everything:
            return rows.exclude(pk__in=self.shown - self.selected)
        return rows.filter(pk__in=self.selected)

    def missing_from(self, rows: AppointmentQuerySet) -> int:
        """Count the selected rows that aren't, or are no longer, among these rows."""
        return len(self.selected) - rows.order_by().filter(pk__in=self.selected).count()


def _ids(values: list[str]) -> frozenset[int]:
    return frozenset(pk for value in values if (pk := clean_or_none(IdField(), value)) is not None)

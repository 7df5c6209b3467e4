"""The ticks of a list that has several pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from appointments.models import AppointmentQuerySet

# No id has more digits; what has is nobody's.
_DIGITS = 18


@dataclass(frozen=True)
class Selection:
    """What was ticked: rows of one page, or `everything` on all pages but the rows that were `shown` and not ticked."""

    everything: bool
    shown: frozenset[int]
    ticked: frozenset[int]

    @classmethod
    def of(cls, form: QueryDict) -> Selection:
        """From the boxes `everything` and `appointment`, and the hidden `shown` beside each; nonsense is not ticked."""
        ticked = _ids(form.getlist("appointment"))
        return cls(form.get("everything") == "true", _ids(form.getlist("shown")), ticked)

    def __bool__(self) -> bool:
        return self.everything or bool(self.ticked)

    def among(self, rows: AppointmentQuerySet) -> AppointmentQuerySet:
        """The selected ones of these."""
        if self.everything:
            return rows.exclude(pk__in=self.shown - self.ticked)
        return rows.filter(pk__in=self.ticked)

    def missing_from(self, rows: AppointmentQuerySet) -> int:
        """How many were ticked that are not, or no longer, among these."""
        return len(self.ticked) - rows.order_by().filter(pk__in=self.ticked).count()


def _ids(values: list[str]) -> frozenset[int]:
    return frozenset(int(value) for value in values if value.isdecimal() and len(value) <= _DIGITS)

"""Drop of an appointment on the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.changes.drag_and_drop import DropTarget
from appointments.dates import EARLIEST, LATEST, IsoDateTimeField
from appointments.models import Appointment
from appointments.time_zones import is_repeated, is_skipped
from staff.models import StaffMember

_TIME_ERRORS = {
    "required": _("Part of this request was lost. Reload the page and try again."),
    "invalid": _("That isn’t a valid time. Clocks may change that day; choose another one."),
}


class DragAndDropForm(forms.Form):
    """Local times of the user, or times with an offset. The end is sent only if the length changed."""

    starts_at = IsoDateTimeField(error_messages=_TIME_ERRORS)
    ends_at = IsoDateTimeField(required=False, error_messages=_TIME_ERRORS)
    staff = forms.ModelChoiceField(
        queryset=StaffMember.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("This person cannot take the appointment. Choose someone else.")},
    )
    version = forms.IntegerField(min_value=0, error_messages=_TIME_ERRORS)
    # Whether the user has confirmed the move.
    confirmed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, appointment: Appointment, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.appointment = appointment
        field = self.fields["staff"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        people = StaffMember.objects.filter(organization=actor.organization_id)
        people = people.select_related("organization", "location")
        field.queryset = people if actor.can_schedule else people.filter(pk=actor.pk)

    @property
    def drop(self) -> DropTarget:
        chosen = self.cleaned_data
        return DropTarget(
            staff=chosen["staff"] or self.appointment.staff,
            starts_at=chosen["starts_at"],
            ends_at=chosen["ends_at"],
            version=chosen["version"],
        )

    @property
    def repeated_starts(self) -> list[datetime]:
        """Return both datetimes of a submitted start that clocks show twice that day, else an empty list."""
        submitted = self._local_time("starts_at")
        if submitted is None:
            return []
        both = [submitted.replace(tzinfo=timezone.get_current_timezone(), fold=fold) for fold in (0, 1)]
        return both if is_repeated(both[0]) and not is_skipped(both[0]) else []

    @property
    def length(self) -> timedelta | None:
        """Return the submitted length on the clock, None if the length stays."""
        start, end = self._local_time("starts_at"), self._local_time("ends_at")
        return end - start if start and end and end > start else None

    def _local_time(self, name: str) -> datetime | None:
        """Return a submitted time without an offset, None for other input."""
        try:
            submitted = parse_datetime(str(self.data.get(name, "")))
        except ValueError:
            return None
        if submitted is None or submitted.tzinfo is not None or not EARLIEST <= submitted.date() <= LATEST:
            return None
        return submitted

    @property
    def sentence(self) -> str:
        """Return the first error."""
        if self.repeated_starts:
            return gettext("Clocks go back that day and show this time twice. Choose one of the two times.")
        return str(next(error for errors in self.errors.values() for error in errors))

"""Filters of the schedule."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.dates import DayField
from services.models import Service
from staff.models import Location, StaffMember

WEEK = 7


class ScheduleForm(forms.Form):
    """Days, staff and location to show. Invalid values are ignored."""

    view = forms.ChoiceField(
        choices=[("", _("Day")), ("week", _("Week")), ("list", _("List"))],
        required=False,
        widget=forms.HiddenInput,
    )
    # Rendered by the page itself, with the day that is shown.
    date = DayField(label=_("Date"), required=False)
    location = forms.ModelChoiceField(
        label=_("Location"),
        queryset=Location.objects.none(),
        required=False,
        empty_label=_("All locations"),
        widget=forms.Select({"data-submit": ""}),
    )
    service = forms.ModelChoiceField(
        label=_("Service"),
        queryset=Service.objects.none(),
        required=False,
        empty_label=_("All services"),
        widget=forms.Select({"data-submit": ""}),
    )
    # Single staff member, linked from the headings.
    staff = forms.ModelChoiceField(queryset=StaffMember.objects.none(), required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label=_("Search staff"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": _("Name or email")}),
    )

    def __init__(self, *args: Any, viewer: StaffMember, **kwargs: Any) -> None:
        # The forms of the panel also have a date: keep the ids apart.
        super().__init__(*args, **{"auto_id": "filter_%s", **kwargs})
        organization = viewer.organization_id
        self._first_weekday = viewer.organization.first_weekday if viewer.organization else 0
        self._field("location").queryset = Location.objects.filter(organization=organization)
        self._field("service").queryset = Service.objects.active().filter(organization=organization)
        self._field("staff").queryset = StaffMember.objects.filter(organization=organization)

    @property
    def shown_view(self) -> str:
        return str(self.cleaned_data.get("view") or "")

    @property
    def only(self) -> StaffMember | None:
        """Return the single staff member to show, if any."""
        return self.cleaned_data.get("staff")

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or filter leaves out staff."""
        return any(self.cleaned_data.get(name) for name in ("location", "service", "staff", "q"))

    def days(self, today: dt.date) -> tuple[dt.date, int]:
        """Return the first day and the number of days. A week starts on the organisation's first day."""
        day = self.cleaned_data.get("date") or today
        if self.shown_view != "week":
            return day, 1
        return day - dt.timedelta(days=(day.weekday() - self._first_weekday) % WEEK), WEEK

    def _field(self, name: str) -> forms.ModelChoiceField[Any]:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        return field

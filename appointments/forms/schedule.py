"""What the schedule is narrowed to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.days import DayField
from services.models import Service
from staff.models import Location, StaffMember


class DayForm(forms.Form):
    """Which day, and whose. What is not understood is as if it had not been asked."""

    # Drawn by the page itself, as it shows the day that came of it.
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
    q = forms.CharField(
        label=_("Search staff"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": _("Name or email")}),
    )

    def __init__(self, *args: Any, viewer: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organization = viewer.organization_id
        self._field("location").queryset = Location.objects.filter(organization=organization)
        self._field("service").queryset = Service.objects.filter(organization=organization, active=True)

    def _field(self, name: str) -> forms.ModelChoiceField[Any]:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy what stands above
        return field

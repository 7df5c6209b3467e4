"""Forms of the list of appointments that need attention, and of their bulk changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from appointments.attention.conditions import READABLE, needing_attention
from appointments.bulk_change_models import BulkAction
from appointments.models import AppointmentQuerySet
from services.models import Service
from staff.models import Location, Organization, StaffMember
from staff.pagination import has_words
from staff.planned_changes import Cause


class AttentionFilter(forms.Form):
    """Search and filters of the list. Invalid values are ignored."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    cause = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        choices=[("", _("All reasons")), *((cause.value, cause.label) for cause in READABLE)],
    )
    location = forms.ModelChoiceField(
        Location.objects.none(), label=_("Location"), required=False, empty_label=_("All locations")
    )
    # Linked from other pages.
    person = forms.ModelChoiceField(StaffMember.objects.none(), required=False, widget=forms.HiddenInput)
    service = forms.ModelChoiceField(Service.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, organization: Organization) -> None:
        super().__init__(data)
        self.organization = organization
        rows = {"location": organization.locations, "person": organization.staff, "service": organization.services}
        for name, related in rows.items():
            self.fields[name].queryset = related.all()  # type: ignore[attr-defined]

    @property
    def appointments(self) -> AppointmentQuerySet:
        """Return the appointments that need attention and match, by start."""
        self.is_valid()
        chosen = self.cleaned_data
        causes = [Cause(chosen["cause"])] if chosen.get("cause") else READABLE
        found = needing_attention(self.organization, causes)
        if location := chosen.get("location"):
            found = found.filter(Q(location=location) | Q(staff__location=location))
        equal = {name: chosen[key] for key, name in (("person", "staff"), ("service", "service")) if chosen.get(key)}
        words = has_words(chosen.get("q", ""), "client__name", "staff__first_name", "staff__last_name", "service__name")
        return found.filter(words, **equal)

    @property
    def narrowed_to(self) -> list[str]:
        """Return the names of the person and the service to which another page limited the list."""
        self.is_valid()
        return [str(self.cleaned_data[name]) for name in ("person", "service") if self.cleaned_data.get(name)]


class BulkChangeForm(forms.Form):
    """Action on the selected appointments, and for a cancellation the reason."""

    action = forms.ChoiceField(choices=BulkAction, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Clients and staff read it in their email."),
        max_length=300,
        widget=forms.TextInput,
    )

    def __init__(self, data: Any, *, action: str) -> None:
        super().__init__(data, initial={"action": action})
        if action != BulkAction.CANCEL:
            del self.fields["reason"]

"""Reassignment of an appointment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.changes.reassign import Candidate, Candidates, candidates_for
from appointments.forms.fields import ChangeForm
from appointments.models import Appointment
from staff.models import StaffMember


class ReassignForm(ChangeForm):
    """Choice of a candidate. Notes next to each name describe the effects of a reassignment."""

    staff = forms.TypedChoiceField(
        label=gettext_lazy("Staff member"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who takes the appointment over.")},
    )

    def __init__(self, data: Mapping[str, Any] | None, *, appointment: Appointment) -> None:
        super().__init__(data, initial={"version": appointment.version})
        self.appointment = appointment
        field = self.fields["staff"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type for mypy
        able = self.candidates.able
        field.choices = [(each.member.pk, each.member.name) for each in able]
        field.error_messages["invalid_choice"] = _("This person cannot take it over. Choose someone else.")
        if len(able) == 1:
            self.initial["staff"] = able[0].member.pk

    @cached_property
    def candidates(self) -> Candidates:
        return candidates_for(self.appointment)

    @property
    def choices(self) -> list[tuple[Candidate, bool]]:
        """Return the candidates, and whether each is picked."""
        picked = str(self["staff"].value() or "")
        return [(each, str(each.member.pk) == picked) for each in self.candidates.able]

    @property
    def chosen(self) -> StaffMember:
        pk = self.cleaned_data["staff"]
        return next(each.member for each in self.candidates.able if each.member.pk == pk)

"""Status buttons of an appointment."""

from __future__ import annotations

from django import forms

from appointments.changes.status import FORWARD

UNDO = "undo"


class StatusForm(forms.Form):
    """Requested status, or UNDO to revert the last change."""

    status = forms.ChoiceField(choices=[*((status.value, status.label) for status in FORWARD), (UNDO, "")])
    version = forms.IntegerField(min_value=0)

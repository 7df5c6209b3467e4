"""A button that changes the status of an appointment."""

from __future__ import annotations

from django import forms

from appointments.models import Status

UNDO = "take_back"


class StatusForm(forms.Form):
    """The status that is wanted, or to take the last one back, and the version of the page that asks."""

    status = forms.ChoiceField(
        choices=[*((s.value, s.label) for s in Status if s != Status.CANCELLED), (UNDO, "")]
    )
    version = forms.IntegerField(min_value=0)

"""Status buttons of an appointment, and the version that each change form carries."""

from __future__ import annotations

from django import forms

from appointments.changes.status import FORWARD

UNDO = "undo"


class VersionField(forms.IntegerField):
    """Hidden version of the appointment that the page shows. A lost version is None, which is accepted."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, widget=forms.HiddenInput)


class StatusForm(forms.Form):
    """Requested status, or UNDO to revert the last change."""

    status = forms.ChoiceField(choices=[*((status.value, status.label) for status in FORWARD), (UNDO, "")])
    version = forms.IntegerField(min_value=0)

"""What goes with every change of an appointment that somebody has before them."""

from __future__ import annotations

from django import forms


class VersionField(forms.IntegerField):
    """The version of the appointment that the page shows; hidden. None where it was lost, which is never refused."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, widget=forms.HiddenInput)

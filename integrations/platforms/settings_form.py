"""Base class of the form with a connection's platform settings."""

from __future__ import annotations

from django import forms


class SettingsForm(forms.Form):
    """Form with the settings that one platform offers for a connection."""

    def save(self) -> str:
        """Store the valid data and return a sentence about the change, or "" if nothing changed."""
        raise NotImplementedError

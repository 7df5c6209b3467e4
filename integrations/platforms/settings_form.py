"""Base class of the form with a connection's platform settings."""

from __future__ import annotations

from typing import Any

from django import forms


class SettingsForm(forms.Form):
    """Form with the settings that one platform offers for a connection."""

    def save(self) -> tuple[str, dict[str, Any]] | None:
        """Store the valid data. Return the change for `VideoPlatform.event_text`, or None if nothing changed."""
        raise NotImplementedError

"""Fields that several forms of appointments share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from services.models import MeetingMethod, Service


class VersionField(forms.IntegerField):
    """Hidden version of the appointment that the page shows. A lost version is None, which is accepted."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, widget=forms.HiddenInput)


class MeetingMethodField(forms.TypedChoiceField):
    """One of the meeting methods that a service offers."""

    default_error_messages = {
        "required": _("Choose a meeting method."),
        "invalid_choice": _("The service is not offered this way. Choose another meeting method."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(label=_("Meeting method"), coerce=int, widget=forms.RadioSelect, **options)

    def offer(self, service: Service | None) -> list[int]:
        """Set the choices to the methods of the service, and return them."""
        methods = list(service.meeting_methods.values_list("method", flat=True)) if service else []
        self.choices = [(method, MeetingMethod(method).label) for method in methods]
        return methods

"""Fields that several forms of appointments share, and the base of their change forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.booking_rules.errors import BookingError
from services.models import MeetingMethod, Service


class VersionField(forms.IntegerField):
    """Hidden version of the appointment that the page shows. A lost version is None, which is accepted."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, widget=forms.HiddenInput)


class MeetingMethodField(forms.TypedChoiceField):
    """Choice of a meeting method that the service offers."""

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


class DontNotifyField(forms.BooleanField):
    """Tick that keeps the client from being emailed about a change."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Don’t notify the client"),
            help_text=_("The client gets no email about this change. Staff do."),
            required=False,
        )


class ChangeForm(forms.Form):
    """Change of an appointment in the version that the page shows."""

    version = VersionField()
    dont_notify = DontNotifyField()

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error on top of the form."""
        self.add_error(None, error.sentence)

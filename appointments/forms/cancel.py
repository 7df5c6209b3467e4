"""Cancelling an appointment, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.status import VersionField
from appointments.models import Appointment


class ReasonForm(forms.Form):
    """Why a client cancels, who need not say; a longer text is refused with what was typed kept."""

    reason = forms.CharField(
        label=_("Reason (optional)"), help_text=_("We read it."), required=False, max_length=300
    )


class CancelForm(forms.Form):
    """Why; whoever cancels need not say."""

    reason = forms.CharField(
        label=_("Reason (optional)"),
        help_text=_("Client and staff member read it in the mail that tells them."),
        required=False,
        max_length=300,
    )
    version = VersionField()

    @classmethod
    def of(cls, appointment: Appointment, data: Mapping[str, Any] | None) -> CancelForm:
        """Bound where it was sent."""
        return cls(data, initial={"version": appointment.version})

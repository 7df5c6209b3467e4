"""Cancellation of an appointment, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.status import VersionField
from appointments.models import Appointment


class ReasonForm(forms.Form):
    """Optional reason of a client."""

    reason = forms.CharField(
        label=_("Reason (optional)"), help_text=_("We read it."), required=False, max_length=300
    )


class CancelForm(forms.Form):
    """Optional reason of a staff member."""

    reason = forms.CharField(
        label=_("Reason (optional)"),
        help_text=_("The client and the staff member read it in their email."),
        required=False,
        max_length=300,
    )
    version = VersionField()

    @classmethod
    def of(cls, appointment: Appointment, data: Mapping[str, Any] | None) -> CancelForm:
        """Return the form, bound if there is data."""
        return cls(data, initial={"version": appointment.version})

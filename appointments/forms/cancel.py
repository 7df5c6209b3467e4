"""Cancellation of an appointment, with a reason."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.forms.fields import ChangeForm


class ReasonForm(forms.Form):
    """Optional reason of a client."""

    reason = forms.CharField(label=_("Reason (optional)"), help_text=_("We read it."), required=False, max_length=300)


class CancelForm(ChangeForm):
    """Optional reason of a staff member."""

    reason = forms.CharField(
        label=_("Reason (optional)"),
        help_text=_("The client and the staff member read it in their email."),
        required=False,
        max_length=300,
    )

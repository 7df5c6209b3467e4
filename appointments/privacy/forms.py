"""Form of Settings > Privacy."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class RetentionForm(forms.Form):
    """Months after the last appointment; None keeps clients."""

    months = forms.IntegerField(
        label=_("Erase clients this many months after their last appointment"),
        help_text=_("From 1 to 600. Leave it empty to keep clients."),
        required=False,
        min_value=1,
        max_value=600,
    )

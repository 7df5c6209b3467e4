"""The questions of the connect wizard, one a page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.models import MatchField


class MatchFieldForm(forms.Form):
    """Which field of a staff member holds the Universal Principal Name."""

    match_field = forms.ChoiceField(
        label=_("Which field in Coconut contains your Microsoft Universal Principal Name (UPN)?"),
        choices=MatchField.choices,
        initial=MatchField.EMAIL,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose Email or Username.")},
    )


class TenantForm(forms.Form):
    """The tenant, as a GUID or as a verified domain."""

    tenant = forms.CharField(
        label=_("Microsoft Tenant ID"),
        max_length=253,
        help_text=_("Such as 72f988bf-86f1-41af-91ab-2d7cd011db47, or a domain of your organisation."),
        error_messages={"required": _("Enter your Microsoft Tenant ID.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )

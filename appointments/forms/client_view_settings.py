"""Settings of the Client View: phone for clients, and sites that can embed it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from coconut.fields.phone_numbers import PhoneNumberFormField, set_phone_region
from staff.embedding import InvalidOrigin, read_origins


class ClientViewSettingsForm(forms.Form):
    """Phone for clients, and origins of the sites, one per line."""

    phone = PhoneNumberFormField(
        label=_("Phone for clients"),
        help_text=_("Clients read it in emails and on the pages of their appointments."),
        required=False,
    )
    embed_origins = forms.CharField(
        label=_("Sites allowed to embed the Client View"),
        help_text=_("One a line, such as https://www.example.com. Other sites cannot show it."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, region: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_phone_region(self, region)

    def clean_embed_origins(self) -> str:
        """Check that each line is an origin. The error names the first invalid line."""
        try:
            return "\n".join(read_origins(self.cleaned_data["embed_origins"]))
        except InvalidOrigin as error:
            raise ValidationError(str(error)) from None

"""Form of the page Organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.countries import country_of_zone
from coconut.fields.phone_numbers import set_phone_region
from coconut.fields.phone_regions import region_of_zone
from staff.branding.colors import MIN_CONTRAST, contrast_with_white, normalize_color
from staff.models import Organization
from staff.organizations import DETAILS, save_organization

if TYPE_CHECKING:
    OrganizationModelForm = forms.ModelForm[Organization]
else:
    OrganizationModelForm = forms.ModelForm


class OrganizationDetailsForm(OrganizationModelForm):
    """Details of an organisation, for its admins."""

    language = forms.ChoiceField(label=_("Language"), choices=lambda: settings.LANGUAGES)
    # Seven characters would cut a pasted value with spaces around it.
    color = forms.CharField(
        label=_("Colour"),
        required=False,
        max_length=40,
        help_text=_("Of buttons and links on the pages that clients see, such as #0b6e66. Empty: Coconut’s own green."),
        widget=forms.TextInput({"spellcheck": "false", "autocomplete": "off"}),
    )

    class Meta:
        model = Organization
        fields = DETAILS
        help_texts = {
            "name": _("Clients read it on every page and in every email."),
            "phone": _(
                "Clients read it in emails and on the pages of their appointments. A location may have its own."
            ),
            "reply_to": _("Answers to emails go to it. A location may have its own. Empty: to the sender."),
            "time_zone": _("New locations and staff start with it."),
            "clock": _("How pages and emails write times."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_phone_region(self, region_of_zone(self["time_zone"].value()))
        if not self.instance.address:
            self.initial["country"] = self.instance.country or country_of_zone(self.instance.time_zone.key)
        set_phone_region(self, self["country"].value(), region_of_zone(self["time_zone"].value()))

    def clean_color(self) -> str:
        """Return "#rrggbb" or "". Refuse a colour on which white text is hard to read."""
        typed: str = self.cleaned_data["color"]
        if not typed:
            return ""
        try:
            color = normalize_color(typed)
        except ValueError:
            raise forms.ValidationError(
                gettext("Write the colour as six digits after #, such as #0b6e66."), code="invalid"
            ) from None
        if contrast_with_white(color) < MIN_CONTRAST:
            raise forms.ValidationError(
                gettext("White text is hard to read on this colour. Choose a darker one."), code="contrast"
            )
        return color

    def save_details(self) -> None:
        """Save the details that were typed."""
        save_organization(self.instance)

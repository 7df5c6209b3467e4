"""Search, add and edit clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.models import Client
from coconut.fields.phone_numbers import set_phone_region

if TYPE_CHECKING:
    ClientModelForm = forms.ModelForm[Client]
else:
    ClientModelForm = forms.ModelForm


class ClientFilter(forms.Form):
    """Search of the client list."""

    q = forms.CharField(required=False, max_length=200)


class ClientForm(ClientModelForm):
    """Name and contact details of a client."""

    class Meta:
        model = Client
        fields = ("name", "email", "phone", "time_zone")
        labels = {"time_zone": _("Time zone")}
        help_texts = {
            "email": _("Confirmations and video links are sent here. A new address gets new links."),
            "phone": _("Needed for phone appointments."),
            "time_zone": _("The client reads times in this zone."),
        }
        error_messages = {"name": {"required": _("Enter the client's name.")}}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, label in (("name", _("Name")), ("email", _("Email")), ("phone", _("Phone"))):
            self.fields[name].label = label
        set_phone_region(self, self.instance.organization.phone_region)
        zone = self.fields["time_zone"]
        _empty, *zones = zone.choices  # type: ignore[attr-defined]
        zone.choices = [("", _("As the organisation")), *zones]  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs["autocomplete"] = "off"

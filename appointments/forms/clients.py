"""Search, add and edit clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.clients import possible_duplicates
from appointments.models import Client
from coconut.fields.phone_numbers import phone_number, set_phone_region

_OURS, _THEIRS = "kept", "other"
_MERGE_LABELS: Final = {
    "name": _("Name"),
    "email": _("Email"),
    "phone": _("Phone"),
    "time_zone": _("Time zone"),
    "language": _("Language"),
}

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


class NewClientForm(ClientForm):
    """The same for a client to add. It shows once who may be the same person."""

    add_anyway = forms.BooleanField(label=_("Add another client"), required=False)
    duplicates: list[Client]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.duplicates = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["add_anyway"]:
            details = {name: cleaned[name] for name in ("name", "email", "phone")}
            self.duplicates = possible_duplicates(self.instance.organization, **details)
        if self.duplicates:
            self.add_error(
                None,
                gettext("This client may exist already. Use one of the clients below, or tick “Add another client”."),
            )
        return cleaned

    @property
    def asks_to_add_anyway(self) -> bool:
        return bool(self.duplicates or self.data.get("add_anyway"))


class MergeForm(forms.Form):
    """Choice of the details to keep, among those that differ."""

    def __init__(self, *args: Any, kept: Client, other: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in _MERGE_LABELS.items():
            ours, theirs = getattr(kept, name), getattr(other, name)
            if ours != theirs:
                # A radio button has no label of its own for an empty value.
                choices = [(_OURS, _shown(name, ours)), (_THEIRS, _shown(name, theirs))]
                preferred = _OURS if ours else _THEIRS
                self.fields[name] = forms.ChoiceField(
                    label=label, choices=choices, initial=preferred, widget=forms.RadioSelect
                )

    @property
    def from_other(self) -> dict[str, bool]:
        """Return for each detail that differs, if the other client's value is kept."""
        return {name: choice == _THEIRS for name, choice in self.cleaned_data.items()}


def _shown(name: str, value: object) -> str:
    text = str(value or "") or gettext("(empty)")
    return phone_number(text) if name == "phone" else text

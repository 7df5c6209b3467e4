"""Client choice of a booking form: find a client, or add one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.clients import find_clients
from appointments.forms.progressive import ProgressiveForm
from appointments.models import Client
from appointments.parameters import find_by_id
from coconut.email_addresses import EmailAddressFormField
from coconut.fields.one_line_text import OneLineFormField
from coconut.fields.phone_numbers import PhoneNumberFormField, set_phone_region
from staff.models import Organization
from staff.validators import one_line

NEW_CLIENT = "new"
_CLIENTS_SHOWN = 8


class ClientGroup(ProgressiveForm):
    """Client fields of a booking form."""

    client = forms.CharField(required=False)
    # The search isn't part of the booking: it is never invalid.
    client_query = forms.Field(required=False)
    new_name = OneLineFormField(label=gettext_lazy("Name"), required=False, max_length=300, validators=[one_line])
    new_email = EmailAddressFormField(label=gettext_lazy("Email"), required=False)
    new_phone = PhoneNumberFormField(label=gettext_lazy("Phone"), required=False)
    new_anyway = forms.BooleanField(label=gettext_lazy("Add another client with this email"), required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        set_phone_region(self, organization.phone_region)

    @cached_property
    def clients(self) -> list[Client]:
        """Return the clients to choose from.

        The chosen client, or the client with the typed email, comes first. Search results follow, unless a
        client is chosen and no new search was sent.
        """
        first = self.chosen_client or self.known_client
        before = [first] if first else []
        if not self.search_text or (self.chosen_client and self.picked("preview") != "client"):
            return before
        found = find_clients(self.organization, self.search_text)[:_CLIENTS_SHOWN]
        return before + [client for client in found if client not in before]

    @cached_property
    def search_text(self) -> str:
        return self.picked("client_query").replace("\0", "")[:200].strip()

    @cached_property
    def chosen_client(self) -> Client | None:
        return find_by_id(self.organization.clients.all(), self.picked("client"))

    @property
    def adds_client(self) -> bool:
        return self.picked("client") == NEW_CLIENT

    @cached_property
    def known_client(self) -> Client | None:
        """Return an existing client with the email of the client to add."""
        if not self.adds_client:
            return None
        return self.organization.clients.with_email(self.picked("new_email").strip()).first()

    @property
    def asks_to_add_anyway(self) -> bool:
        return self.known_client is not None or bool(self.picked("new_anyway"))

    @property
    def new_client(self) -> dict[str, str]:
        return {name: self.cleaned_data[f"new_{name}"] for name in ("name", "email", "phone")}

    def client_or_new(self) -> Client | dict[str, str]:
        """Return the chosen client, or the fields of the client to add."""
        chosen: Client | None = self.cleaned_data["client"]
        return chosen or self.new_client

    def clean_client(self) -> Client | None:
        """Return the chosen client; None for a client to add."""
        if self.adds_client:
            return None
        if self.chosen_client is None:
            raise forms.ValidationError(_("Search for the client and choose them, or add a new client."))
        return self.chosen_client

    def clean(self) -> dict[str, Any]:
        """Require a name for a new client, and point out an existing client with the same email once."""
        cleaned = super().clean() or self.cleaned_data
        if not self.adds_client:
            return cleaned
        if not cleaned.get("new_name") and not self.has_error("new_name"):
            self.add_error("new_name", _("Enter the client's name."))
        if self.known_client is not None and not cleaned.get("new_anyway"):
            sentence = _("%(name)s has this email already. Choose them above, or add another client.")
            self.add_error("new_email", sentence % {"name": self.known_client.name})
        return cleaned

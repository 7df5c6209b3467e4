"""Client choice of a booking form: find a client, or add one."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.clients import find_clients, possible_duplicates
from appointments.forms.progressive import ProgressiveForm
from appointments.models import Client
from appointments.parameters import find_by_id
from coconut.email_addresses import EmailAddressFormField, normalize_email_address
from coconut.fields.one_line_text import OneLineFormField
from coconut.fields.phone_numbers import PhoneNumberFormField, canonical_phone_number, set_phone_region
from staff.models import Organization
from staff.validators import one_line

NEW_CLIENT = "new"
_CLIENTS_SHOWN = 8
_SAME_DETAIL: Final = {
    "new_email": gettext_lazy("%(name)s has this email already."),
    "new_phone": gettext_lazy("%(name)s has this phone number already."),
    "new_name": gettext_lazy("%(name)s has the same name or a similar one."),
}


class ClientGroup(ProgressiveForm):
    """Client fields of a booking form."""

    client = forms.CharField(required=False)
    # The search isn't part of the booking: it is never invalid.
    client_query = forms.Field(required=False)
    new_name = OneLineFormField(label=gettext_lazy("Name"), required=False, max_length=300, validators=[one_line])
    new_email = EmailAddressFormField(label=gettext_lazy("Email"), required=False)
    new_phone = PhoneNumberFormField(label=gettext_lazy("Phone"), required=False)
    new_anyway = forms.BooleanField(label=gettext_lazy("Add another client"), required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        set_phone_region(self, organization.phone_region)

    @cached_property
    def clients(self) -> list[Client]:
        """Return the clients to choose from.

        The chosen client, or those who may be the client to add, come first. Search results follow, unless a client
        is chosen and no new search was sent.
        """
        before = [self.chosen_client] if self.chosen_client else self.known_clients
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
    def known_clients(self) -> list[Client]:
        """Return the clients who may be the client to add."""
        if not self.adds_client:
            return []
        name, email, phone = (self.picked(f"new_{detail}") for detail in ("name", "email", "phone"))
        return possible_duplicates(self.organization, name=name, email=email, phone=phone)

    @property
    def asks_to_add_anyway(self) -> bool:
        return bool(self.known_clients or self.picked("new_anyway"))

    @property
    def possible_duplicate(self) -> str:
        """Return a sentence about the first client who may be the client to add; "" if there is none."""
        if not self.known_clients:
            return ""
        sentence = _SAME_DETAIL[self._shared_field(self.known_clients[0])]
        return sentence % {"name": self.known_clients[0].name}

    def _shared_field(self, client: Client) -> str:
        """Return the field in which the client to add is like this one."""
        if client.email and client.email.casefold() == normalize_email_address(self.picked("new_email")).casefold():
            return "new_email"
        phone = canonical_phone_number(self.picked("new_phone"), self.organization.phone_region)
        return "new_phone" if client.phone and client.phone == phone else "new_name"

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
        """Require a name for a new client, and point out once who may be the same."""
        cleaned = super().clean() or self.cleaned_data
        if not self.adds_client:
            return cleaned
        if not cleaned.get("new_name") and not self.has_error("new_name"):
            self.add_error("new_name", _("Enter the client's name."))
        if self.known_clients and not cleaned.get("new_anyway"):
            what_to_do = _("Choose them above, or add another client.")
            self.add_error(self._shared_field(self.known_clients[0]), f"{self.possible_duplicate} {what_to_do}")
        return cleaned

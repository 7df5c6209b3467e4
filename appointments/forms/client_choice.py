"""For whom an appointment is: a client who is searched for, or one to be added."""

from __future__ import annotations

from typing import Any, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.clients import client_with_email, find_clients
from appointments.forms.progressive import ProgressiveForm
from appointments.models import Client
from staff.models import Organization
from staff.validators import one_line

NEW_CLIENT = "new"
_CLIENTS_SHOWN = 8
M = TypeVar("M", bound=Model)


class ClientChoice(ProgressiveForm):
    """The client's part of a booking form. `organization` must be set before anything is asked of it."""

    organization: Organization

    client = forms.CharField(required=False)
    # Words to search with are no part of the booking: whatever stands there never refuses it.
    client_query = forms.Field(required=False)
    new_name = forms.CharField(
        label=gettext_lazy("Name"), required=False, max_length=300, validators=[one_line]
    )
    new_email = forms.EmailField(label=gettext_lazy("Email"), required=False)
    new_phone = forms.CharField(
        label=gettext_lazy("Phone"), required=False, max_length=40, validators=[one_line]
    )
    new_anyway = forms.BooleanField(label=gettext_lazy("Add another client with this email"), required=False)

    @cached_property
    def clients(self) -> list[Client]:
        """Whom it may be: the chosen client, or the one with the email that was typed; then those the search finds.

        The chosen one alone where nobody is searched for any more.
        """
        first = self.chosen_client or self.known_client
        before = [first] if first else []
        if not self.words or (self.chosen_client and self.picked("look") != "client"):
            return before
        found = find_clients(self.organization, self.words)[:_CLIENTS_SHOWN]
        return before + [client for client in found if client not in before]

    @cached_property
    def words(self) -> str:
        """What is searched for."""
        return self.picked("client_query").replace("\0", "")[:200].strip()

    @cached_property
    def chosen_client(self) -> Client | None:
        return find(Client.objects.filter(organization=self.organization), self.picked("client"))

    @property
    def adds_client(self) -> bool:
        return self.picked("client") == NEW_CLIENT

    @cached_property
    def known_client(self) -> Client | None:
        """Somebody who has the email of the client to be added."""
        return (
            client_with_email(self.organization, self.picked("new_email").strip())
            if self.adds_client
            else None
        )

    @property
    def asks_to_add_anyway(self) -> bool:
        return self.known_client is not None or bool(self.picked("new_anyway"))

    @property
    def new_client(self) -> dict[str, str]:
        """The client to add, as the model's fields."""
        return {name: self.cleaned_data[f"new_{name}"] for name in ("name", "email", "phone")}

    def clean_client(self) -> Client | None:
        """The chosen client; None for one to be added."""
        if self.adds_client:
            return None
        if self.chosen_client is None:
            raise forms.ValidationError(_("Search for the client and choose them, or add a new client."))
        return self.chosen_client

    def clean(self) -> dict[str, Any]:
        """A new client needs a name, and somebody who has the email already is pointed out once."""
        cleaned = super().clean() or self.cleaned_data
        if not self.adds_client:
            return cleaned
        if not cleaned.get("new_name") and not self.has_error("new_name"):
            self.add_error("new_name", _("Enter the client's name."))
        if self.known_client is not None and not cleaned.get("new_anyway"):
            sentence = _("%(name)s has this email already. Choose them above, or add another client.")
            self.add_error("new_email", sentence % {"name": self.known_client.name})
        return cleaned


def find(rows: QuerySet[M], pk: str) -> M | None:
    """The row of this id; None where there is none, or `pk` is no id at all."""
    return rows.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None

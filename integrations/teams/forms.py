"""The questions of the connect wizard, one a page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.models import MatchField
from integrations.platforms.settings_form import SettingsForm
from integrations.teams.models import LobbyPolicy, TeamsConnection


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


class LobbyForm(SettingsForm):
    """Who waits in the lobby of a meeting."""

    lobby_policy = forms.ChoiceField(
        label=_("Lobby"),
        choices=LobbyPolicy.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "For meetings that are made or changed from now on. Colleagues of the organizer never wait; "
            "clients join as guests."
        ),
        error_messages={
            "required": _("Choose who waits in the lobby."),
            "invalid_choice": _("Choose who waits in the lobby."),
        },
    )

    def __init__(self, teams: TeamsConnection, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"lobby_policy": teams.lobby_policy})
        self.teams = teams

    def save(self) -> str:
        chosen = LobbyPolicy(self.cleaned_data["lobby_policy"])
        row = TeamsConnection.objects.filter(pk=self.teams.pk).exclude(lobby_policy=chosen)
        if not row.update(lobby_policy=chosen):
            return ""
        return gettext("Lobby of new meetings: %(choice)s.") % {"choice": chosen.label}


class ReauthorizeForm(TenantForm):
    """The tenant once more, in the words of Reauthorize."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].label = _("Azure Tenant ID")
        self.fields["tenant"].error_messages["required"] = _("Enter your Azure Tenant ID.")


class PolicyForm(forms.Form):
    """That the Application Access Policy was made; Coconut cannot see it before it is connected."""

    acknowledged = forms.BooleanField(
        label=_("I have created or updated the Application Access Policy (AAP)"),
        error_messages={
            "required": _(
                "Create or update the Application Access Policy first, then tick the box. Without it Microsoft lets "
                "Coconut make no meetings."
            )
        },
    )

"""Forms of the connect wizard, Reauthorize and the lobby setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from integrations.models import MatchField
from integrations.platforms.settings_form import SettingsForm
from integrations.teams.event_text import TeamsEvent
from integrations.teams.models import LobbyPolicy, TeamsConnection


class MatchFieldForm(forms.Form):
    """Choice of the staff field that holds the UPN."""

    match_field = forms.ChoiceField(
        label=_("Which field in Coconut contains your Microsoft Universal Principal Name (UPN)?"),
        choices=MatchField.choices,
        initial=MatchField.EMAIL,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose Email or Username.")},
    )


class TenantForm(forms.Form):
    """Tenant, as a GUID or a verified domain."""

    tenant = forms.CharField(
        label=_("Microsoft Tenant ID"),
        # Addresses of Microsoft's portals are long.
        max_length=2000,
        help_text=_("Such as 72f988bf-86f1-41af-91ab-2d7cd011db47, or a domain of your organisation."),
        error_messages={"required": _("Enter your Microsoft Tenant ID.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )


class LastQuestionForm(TenantForm):
    """Tenant form of the wizard, whose page also shows the other answers.

    Refuses a page that shows other `answers` than those to connect with.
    """

    def __init__(self, *args: Any, answers: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answers = answers

    def clean(self) -> dict[str, Any]:
        if any(self.data.get(name, answer) != answer for name, answer in self.answers.items()):
            raise forms.ValidationError(
                _("Your other answers have changed since this page was opened. Check them below, then continue.")
            )
        return self.cleaned_data


class LobbyForm(SettingsForm):
    """Lobby setting for new and changed meetings."""

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

    def save(self) -> tuple[str, dict[str, Any]] | None:
        chosen = LobbyPolicy(self.cleaned_data["lobby_policy"])
        row = TeamsConnection.objects.filter(pk=self.teams.pk).exclude(lobby_policy=chosen)
        if not row.update(lobby_policy=chosen):
            return None
        return TeamsEvent.LOBBY_CHANGED, {"policy": chosen.value}


class ReauthorizeForm(TenantForm):
    """Tenant form with the labels of Reauthorize."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].label = _("Azure Tenant ID")
        self.fields["tenant"].error_messages["required"] = _("Enter your Azure Tenant ID.")


class PolicyForm(forms.Form):
    """Confirmation that the Application Access Policy exists. Coconut can't check it before the consent."""

    acknowledged = forms.BooleanField(
        label=_("I have created or updated the Application Access Policy (AAP)"),
        error_messages={
            "required": _(
                "Create or update the Application Access Policy first, then tick the box. Without it Microsoft lets "
                "Coconut make no meetings."
            )
        },
    )

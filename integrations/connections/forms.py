"""Forms for a connection's name and match field, and for a staff member's Video Calls Platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import URLValidator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coconut.fields.pasted_text import drop_invisible, unwrap
from integrations.models import Connection, MatchField
from staff.models import StaffMember, VideoChoice

if TYPE_CHECKING:
    PersonModelForm = forms.ModelForm[StaffMember]
else:
    PersonModelForm = forms.ModelForm


class MatchFieldChangeForm(forms.Form):
    """Choose another match field than the current one."""

    match_field = forms.ChoiceField(
        label=_("Which field in Coconut holds the user name at the platform?"),
        choices=MatchField.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose Email or Username.")},
    )

    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._current_field = connection.match_field

    def clean_match_field(self) -> str:
        chosen: str = self.cleaned_data["match_field"]
        if chosen == self._current_field:
            raise forms.ValidationError(
                _("%(field)s is the field that is used already. Choose the other one, or Cancel."),
                params={"field": MatchField(chosen).label},
            )
        return chosen


class RenameConnectionForm(forms.Form):
    """Give a connection another name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        help_text=_("Shown in the list of integrations and in everybody's Video Calls Platform dropdown."),
    )

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class MeetingAddressField(forms.URLField):
    """A link that clients get: https only."""

    default_validators = [URLValidator(["https"])]
    default_error_messages = {
        "invalid": _("Enter an address that begins with https://, such as https://meet.example.com/me.")
    }

    def to_python(self, value: Any) -> str:
        return str(super().to_python(unwrap(drop_invisible(value or ""))))


class VideoPlatformForm(PersonModelForm):
    """Choose where a staff member's video appointments take place."""

    platform = forms.ChoiceField(label=_("Video Calls Platform"))
    personal_meeting_url = MeetingAddressField(
        label=_("Personal meeting link"),
        required=False,
        max_length=200,
        assume_scheme="https",
        help_text=_("Only used with the choice “Personal link”: the same link for every appointment."),
    )

    class Meta:
        model = StaffMember
        fields = ["personal_meeting_url", "personal_meeting_note"]
        help_texts = {
            "personal_meeting_note": _(
                "Clients and colleagues read it beside the personal link, for example how to be let in."
            )
        }

    field_order = ["platform", "personal_meeting_url", "personal_meeting_note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections = {
            str(connection.pk): connection
            for connection in Connection.objects.filter(organization=self.instance.organization_id).filter(
                Q(pk=self.instance.video_connection_id) | Q(pk__in=Connection.objects.live().values("pk"))
            )
        }
        self.fields["platform"].choices = self._platform_choices()  # type: ignore[attr-defined]
        self.initial["platform"] = self._current_choice()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("platform") == VideoChoice.PERSONAL and not cleaned.get("personal_meeting_url"):
            if not self.has_error("personal_meeting_url"):
                self.add_error("personal_meeting_url", _("Enter the personal meeting link."))
            return cleaned
        self._set_video_choice(cleaned.get("platform", ""))
        return cleaned

    def _platform_choices(self) -> list[tuple[str, Any]]:
        default = next((connection for connection in self.connections.values() if connection.is_default), None)
        label = (
            _("Organisation default (%(name)s)") % {"name": default.name}
            if default is not None
            else _("Organisation default (none)")
        )
        return [
            (VideoChoice.DEFAULT.value, label),
            *[(pk, _connection_label(connection)) for pk, connection in self.connections.items()],
            (VideoChoice.PERSONAL.value, _("Personal link")),
        ]

    def _current_choice(self) -> str:
        if self.instance.video_choice == VideoChoice.CONNECTION:
            return str(self.instance.video_connection_id)
        return self.instance.video_choice

    def _set_video_choice(self, choice: str) -> None:
        connection = self.connections.get(choice)
        self.instance.video_connection = connection
        self.instance.video_choice = VideoChoice.CONNECTION if connection else (choice or VideoChoice.DEFAULT)


def _connection_label(connection: Connection) -> Any:
    if connection.is_live:
        return connection.name
    return _("%(name)s (disconnected)") % {"name": connection.name}

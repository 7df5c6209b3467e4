"""Settings of emails: reminders, and which kinds are sent to clients and to staff."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from appointments.models import Audience, NotificationKind
from appointments.notifications.switches import DEFAULTS, LISTED_KINDS, Switches, switch_name

#: Times before an appointment at which clients can be reminded, in minutes.
OFFERED_REMINDERS = (
    (7 * 24 * 60, _("1 week before")),
    (3 * 24 * 60, _("3 days before")),
    (2 * 24 * 60, _("2 days before")),
    (24 * 60, _("24 hours before")),
    (4 * 60, _("4 hours before")),
    (2 * 60, _("2 hours before")),
    (60, _("1 hour before")),
    (30, _("30 minutes before")),
    (15, _("15 minutes before")),
)


class ReminderField(forms.TypedMultipleChoiceField):
    """Choice of times before an appointment."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Reminders"),
            help_text=_("An appointment that is booked later than that gets no such reminder."),
            choices=OFFERED_REMINDERS,
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            error_messages={"invalid_choice": _("Choose times from the list.")},
            **options,
        )


@dataclass(frozen=True)
class KindRow:
    """A row of the table of kinds. A reader without a switch always gets the email."""

    label: str
    client: BoundField | None
    staff: BoundField | None


class EmailSettingsForm(forms.Form):
    """Reminders of the organisation, and a switch for each email that isn't always sent."""

    reminders = ReminderField()

    def __init__(self, data: Any = None, *, reminders: Iterable[int], switches: Switches) -> None:
        values = {switch_name(*each): switches.is_on(*each) for each in DEFAULTS}
        super().__init__(data, initial={"reminders": list(reminders), **values})
        for kind, audience in DEFAULTS:
            label = f"{kind.label}: {audience.label}"
            self.fields[switch_name(kind, audience)] = forms.BooleanField(label=label, required=False)

    @property
    def rows(self) -> list[KindRow]:
        return [
            KindRow(str(kind.label), self._switch(kind, Audience.CLIENT), self._switch(kind, Audience.STAFF))
            for kind in LISTED_KINDS
        ]

    @property
    def switches(self) -> dict[str, bool]:
        """Return the submitted switches by name."""
        return {switch_name(*each): self.cleaned_data[switch_name(*each)] for each in DEFAULTS}

    def _switch(self, kind: NotificationKind, audience: Audience) -> BoundField | None:
        return self[switch_name(kind, audience)] if (kind, audience) in DEFAULTS else None


class TestEmailForm(forms.Form):
    """Choice of an email for a look at it. `email` is a kind and a reader, as `switch_name` joins them."""

    email = forms.ChoiceField(
        label=_("Email"),
        choices=[
            (switch_name(kind, audience), f"{kind.label}: {audience.label}")
            for kind in LISTED_KINDS
            for audience in (Audience.CLIENT, Audience.STAFF)
        ],
        error_messages={"invalid_choice": _("Choose an email from the list.")},
    )

    @property
    def kind(self) -> str:
        return str(self.cleaned_data["email"]).rpartition("_")[0]

    @property
    def audience(self) -> str:
        return str(self.cleaned_data["email"]).rpartition("_")[2]


class ServiceRemindersForm(forms.Form):
    """Reminders of one service."""

    has_own = forms.BooleanField(
        label=_("Reminders of its own"),
        help_text=_("They replace those of the organisation. Without a time, no reminder is sent."),
        required=False,
    )
    reminders = ReminderField()

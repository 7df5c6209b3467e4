"""Kinds of emails about appointments, their readers, and which of them an organisation sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appointments.email_settings_models import EmailSettings
from appointments.models import Audience, NotificationKind

#: Kinds in the order of the settings page.
LISTED_KINDS: Final = (
    NotificationKind.BOOKED,
    NotificationKind.MOVED,
    NotificationKind.REASSIGNED,
    NotificationKind.CHANGED,
    NotificationKind.CANCELLED,
    NotificationKind.REMINDER,
)
_CLIENT: Final = (NotificationKind.REASSIGNED, NotificationKind.CHANGED, NotificationKind.REMINDER)
#: Whether each switchable email is sent unless an admin decides otherwise. All others are always sent: only the
#: client's emails have the link to move or cancel.
DEFAULTS: Final = {
    **{(kind, Audience.CLIENT): True for kind in _CLIENT},
    **{(kind, Audience.STAFF): kind != NotificationKind.REMINDER for kind in LISTED_KINDS},
}


@dataclass(frozen=True)
class Switches:
    """Emails that an organisation sends. `chosen` are the values that an admin set, by `switch_name`."""

    chosen: dict[str, bool]

    def is_on(self, kind: str, audience: str) -> bool:
        """Return whether this kind of email goes to these readers."""
        default = DEFAULTS.get((NotificationKind(kind), Audience(audience)))
        return default is None or self.chosen.get(switch_name(kind, audience), default)


def switch_name(kind: str, audience: str) -> str:
    """Return the stored name of a switch."""
    return f"{kind}_{audience}"


def switches_of(organization_id: int) -> Switches:
    """Return the switches of an organisation."""
    found = EmailSettings.objects.filter(pk=organization_id).values_list("switches", flat=True).first()
    return Switches(found or {})

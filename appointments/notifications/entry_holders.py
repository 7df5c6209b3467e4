"""Addresses whose calendars hold an entry of an appointment that no longer concerns them.

A reader may change without an email: a colleague takes over silently, or an address is corrected. The next email about
the appointment ends their entries.
"""

from __future__ import annotations

from collections.abc import Iterator

from appointments.models import Appointment, Audience, NotificationKind
from staff.models import EmailState, StaffMember

_CLIENT_AUDIENCES = (Audience.CLIENT, Audience.OLD_EMAIL)


def former_holders(appointment: Appointment) -> Iterator[tuple[Audience, str]]:
    """Return address and audience of those who got an entry, not its end, and aren't readers now.

    People who left are not among them: their mailbox may be read by others.
    """
    present = {(True, appointment.client.email.casefold()), (False, appointment.staff.email.casefold())}
    held = [holder for holder in _held_entries(appointment) if (holder[0], holder[1].casefold()) not in present]
    left = _addresses_of_leavers(appointment, [to for is_client, to in held if not is_client])
    for is_client, to in held:
        if is_client or to not in left:
            yield (Audience.OLD_EMAIL if is_client else Audience.FORMER), to


def _held_entries(appointment: Appointment) -> list[tuple[bool, str]]:
    """Return the addresses whose last email wasn't a cancellation, and whether each is a client's.

    An email that may have arrived counts. Of those that wait, only ends of entries are left when this is called.
    """
    emails = appointment.notifications.exclude(email__state=EmailState.FAILED).order_by("sequence", "pk")
    last = {
        (audience in _CLIENT_AUDIENCES, to[0]): kind
        for audience, to, kind in emails.values_list("audience", "email__to", "kind")
    }
    return [holder for holder, kind in last.items() if kind != NotificationKind.CANCELLED]


def _addresses_of_leavers(appointment: Appointment, addresses: list[str]) -> set[str]:
    if not addresses:
        return set()
    leavers = StaffMember.objects.filter(organization=appointment.organization_id, is_active=False)
    return set(leavers.filter(email__in=addresses).values_list("email", flat=True))

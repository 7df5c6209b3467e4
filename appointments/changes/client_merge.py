"""Merge two clients who are the same person. One row is kept; the other is erased and points to it.

Appointments move with all that hangs on them: notes, timeline, emails and private links, which keep working.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from appointments.audit import record_client_merge
from appointments.models import BLANK_CLIENT, Appointment, AppointmentEvent, AppointmentEventKind, Client
from appointments.timeline import Fact, new_event
from staff.audit_log.origin import current_actor

#: Details that both clients may have, and of which one is kept.
MERGED_DETAILS: Final = ("name", "email", "phone", "time_zone", "language")


class NotMergeable(Exception):
    """The clients can't be merged. `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def merge_clients(kept: Client, other: Client, *, from_other: Mapping[str, bool]) -> int:
    """Merge `other` into `kept`, and return the number of appointments that moved.

    `from_other` says for a detail in MERGED_DETAILS that the value of `other` is kept. Raises NotMergeable if either
    was erased or merged meanwhile.
    """
    with transaction.atomic():
        kept, other = _lock_clients(kept, other)
        changed = [name for name in MERGED_DETAILS if from_other.get(name)]
        for name in changed:
            setattr(kept, name, getattr(other, name))
        moved = _move_appointments(other, kept)
        _erase_merged(other, kept)
        kept.save(update_fields=changed)
        record_client_merge(kept, other, changed)
    return moved


def _lock_clients(kept: Client, other: Client) -> tuple[Client, Client]:
    """Lock both rows in the order of their pk, as a booking or an erasure locks one. Return their current state."""
    rows = Client.objects.filter(pk__in=[kept.pk, other.pk], organization=kept.organization_id)
    locked = {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",)).order_by("pk")}
    if len(locked) < 2:
        raise NotMergeable(_("One of the two clients was erased or merged meanwhile. Search for the client again."))
    return locked[kept.pk], locked[other.pk]


def _move_appointments(other: Client, kept: Client) -> int:
    """Move the appointments in the order of their pk, as other changes lock them. Their timelines say so."""
    rows = Appointment.objects.filter(client=other).order_by("pk").select_for_update(no_key=True)
    appointments = list(rows.only("pk"))
    merged, actor = Fact(AppointmentEventKind.CLIENT_MERGED), current_actor()
    AppointmentEvent.objects.bulk_create(new_event(each, merged, actor=actor) for each in appointments)
    return Appointment.objects.filter(pk__in=[each.pk for each in appointments]).update(client=kept)


def _erase_merged(other: Client, kept: Client) -> None:
    """Erase the details of `other`. Rows that were merged into it before now point to `kept`, too."""
    Client._base_manager.filter(merged_into=other).update(merged_into=kept)
    Client._base_manager.filter(pk=other.pk).update(**BLANK_CLIENT, erased_at=Now(), merged_into=kept)

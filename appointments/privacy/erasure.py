"""Erase a client's data. Past appointments stay, without the client."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.audit import record_client_erasure
from appointments.models import LIVE_STATUSES, Appointment, Client
from appointments.privacy.client_data import CLIENT_DATA
from coconut.database.append_only import erasing
from staff.models import EmailState, OutboxEmail, StaffMember

logger = logging.getLogger(__name__)


class NotErasable(Exception):
    """The client can't be erased yet. `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def upcoming_appointments(client: Client) -> QuerySet[Appointment]:
    """Return the client's appointments that are still to come or in progress, the next one first."""
    live = client.appointments.filter(status__in=LIVE_STATUSES, ends_at__gt=timezone.now())
    return live.select_related("service", "staff").order_by("starts_at", "pk")


def check_erasable(client: Client) -> None:
    """Raise NotErasable while an appointment is to come, or while an email about one isn't sent yet."""
    if number := upcoming_appointments(client).count():
        raise NotErasable(
            ngettext(
                "This client has %(number)d upcoming appointment. Cancel it first.",
                "This client has %(number)d upcoming appointments. Cancel them first.",
                number,
            )
            % {"number": number}
        )
    if _unsent_emails(client).exists():
        raise NotErasable(
            _("An email about an appointment of this client is still being sent. Try again in a few minutes.")
        )


def erase_client(client: Client, *, actor: StaffMember | None) -> None:
    """Erase all data in `CLIENT_DATA`. `actor` is None if an operator or the retention period erases it.

    Raises NotErasable, and Client.DoesNotExist if the client was erased meanwhile.
    """
    with transaction.atomic():
        locked = _lock_client_and_appointments(client)
        check_erasable(locked)
        _erase_rows(locked)
        record_client_erasure(locked, actor)
        logger.info("Client %s was erased by staff member %s.", locked.pk, actor.pk if actor else "-")


def _lock_client_and_appointments(client: Client) -> Client:
    """Lock the rows that a booking or a change also locks, so that neither can slip in after the check."""
    locked = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    appointments = Appointment.objects.filter(client=locked).order_by("pk")
    list(appointments.select_for_update(no_key=True).values_list("pk", flat=True))
    return locked


def _erase_rows(client: Client) -> None:
    with erasing():
        for data in CLIENT_DATA:
            rows = data.rows_of(client)
            if data.blank is None:
                rows.delete()
            else:
                rows.update(**data.blank)


def _unsent_emails(client: Client) -> QuerySet[OutboxEmail]:
    """Return the emails that a worker will send or is sending. One that failed doesn't delay an erasure."""
    is_sending = Q(state=EmailState.SENDING, lease_until__gt=Now())
    return OutboxEmail.objects.filter(
        Q(state=EmailState.WAITING) | is_sending, notifications__appointment__client=client
    )

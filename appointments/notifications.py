"""What clients and staff are told by mail: an outbox, sent at most once.

Rows are written in the transaction of the change and sent afterwards. A row is committed as `sending` before the mail
server hears of it; a crash in between leaves it there rather than mailing twice.
"""

from __future__ import annotations

import time
from smtplib import SMTPException

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from appointments.mails import mail_for
from appointments.models import Appointment, Audience, Notification, NotificationKind, NotificationState
from integrations.nudges import nudge_on_commit

# One look at the outbox ends well before the task's time limit, which would kill it in the middle of a mail.
SENDING_SECONDS = 30


def tell_everybody(appointment: Appointment, kind: NotificationKind) -> None:
    """Put mails to the client and the staff member into the outbox, inside the caller's transaction.

    What still waits to be sent is replaced: who was never told of the booking is told of it as it is now.
    """
    waiting = appointment.notifications.filter(state=NotificationState.WAITING)
    unheard = set(waiting.filter(kind=NotificationKind.BOOKED).values_list("audience", flat=True))
    sequence = _next_sequence(appointment)
    waiting.delete()
    Notification.objects.bulk_create(
        Notification(
            appointment=appointment,
            kind=_kind_for(kind, was_told=audience not in unheard),
            sequence=sequence,
            audience=audience,
            to=address,
        )
        for audience, address in _addresses(appointment)
        if address
    )
    nudge_on_commit("appointments.send_waiting_notifications")


def send_waiting() -> int:
    """Send what waits, oldest first, for at most half a minute; returns how many were tried. Not in a transaction."""
    tried, until = 0, time.monotonic() + SENDING_SECONDS
    while time.monotonic() < until and (notification := _claim()) is not None:
        _send(notification)
        tried += 1
    return tried


def _addresses(appointment: Appointment) -> list[tuple[Audience, str]]:
    return [(Audience.CLIENT, appointment.client.email), (Audience.STAFF, appointment.staff.email)]


def _next_sequence(appointment: Appointment) -> int:
    last: int | None = appointment.notifications.aggregate(last=Max("sequence"))["last"]
    return 0 if last is None else last + 1


def _kind_for(kind: NotificationKind, *, was_told: bool) -> NotificationKind:
    if kind == NotificationKind.MOVED and not was_told:
        return NotificationKind.BOOKED
    return kind


def _claim() -> Notification | None:
    """Take the oldest waiting row and commit that it is being sent; None when nothing waits."""
    with transaction.atomic(durable=True):
        notification = (
            Notification.objects.select_for_update(skip_locked=True)
            .filter(state=NotificationState.WAITING)
            .order_by("created_at", "pk")
            .first()
        )
        if notification is None:
            return None
        _set_state(notification, NotificationState.SENDING, claimed_at=Now())
    return notification


def _send(notification: Notification) -> None:
    # ValueError: an address or name that no header or calendar can hold.
    try:
        mail_for(notification).send()
    except (SMTPException, OSError, ValueError) as error:
        _set_state(notification, NotificationState.FAILED, error=f"{type(error).__name__}: {error}"[:300])
    else:
        _set_state(notification, NotificationState.SENT, sent_at=Now())


def _set_state(notification: Notification, state: NotificationState, **fields: object) -> None:
    Notification.objects.filter(pk=notification.pk).update(state=state, **fields)

"""What clients and staff are told by mail: an outbox, sent at most once.

Rows are written in the transaction of the change and sent afterwards. A row is committed as `sending` before the mail
server hears of it; a crash in between leaves it there rather than mailing twice.
"""

from __future__ import annotations

import time
from smtplib import SMTPException

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from appointments.mails import mail_for
from appointments.models import (
    SENDING_PATIENCE,
    Appointment,
    Audience,
    Notification,
    NotificationKind,
    NotificationState,
)
from integrations.models import Meeting
from integrations.nudges import nudge_in_bursts_on_commit
from staff.models import StaffMember

_TASK = "appointments.send_waiting_notifications"

# One look at the outbox ends well before the task's time limit, which would kill it in the middle of a mail.
SENDING_SECONDS = 30


def mails_of_booking(appointment: Appointment) -> list[Notification]:
    """The mails to the client and the staff member, stored together with their appointment; then `send_soon`."""
    booked = NotificationKind.BOOKED
    return _rows(appointment, [(audience, address, booked) for audience, address in _addresses(appointment)])


def send_soon() -> None:
    """Have a worker look at the outbox once the present transaction is committed."""
    nudge_in_bursts_on_commit(_TASK)


def tell_everybody(
    appointment: Appointment, kind: NotificationKind, *, former: StaffMember | None = None
) -> None:
    """Put mails about a change to the client and the staff member into the outbox, in the caller's transaction.

    `former` is who had the appointment before. What still waits to be sent is replaced: who was never told of the
    booking is told of it as it is now, and who was never told that they have it need not hear that they lost it.
    """
    unheard = _take_back_waiting(appointment)
    mails = [
        (audience, address, _kind_for(kind, unheard.get((audience, address))))
        for audience, address in _addresses(appointment)
    ]
    if former is not None and (Audience.STAFF, former.email) not in unheard:
        mails.append((Audience.FORMER, former.email, NotificationKind.CANCELLED))
    Notification.objects.bulk_create(_rows(appointment, mails))
    send_soon()


def send_again(notification: Notification) -> bool:
    """Send a mail once more that failed, or that may not have been sent; False where it was sent or waits."""
    stuck = Q(state=NotificationState.FAILED) | Q(
        state=NotificationState.SENDING, claimed_at__lt=Now() - SENDING_PATIENCE
    )
    again = Notification.objects.filter(stuck, pk=notification.pk).update(
        state=NotificationState.WAITING, error="", claimed_at=None
    )
    if again:
        send_soon()
    return bool(again)


def send_waiting() -> int:
    """Send what waits, oldest first, for at most half a minute; returns how many were tried. Not in a transaction.

    Somebody who waits for a link goes first: the rest is for another task then.
    """
    tried, until = 0, time.monotonic() + SENDING_SECONDS
    while time.monotonic() < until and (notification := _claim()) is not None:
        _send(notification)
        tried += 1
        if Meeting.objects.asked_for_in_vain().exists():
            send_soon()
            break
    return tried


def _addresses(appointment: Appointment) -> list[tuple[Audience, str]]:
    return [(Audience.CLIENT, appointment.client.email), (Audience.STAFF, appointment.staff.email)]


def _take_back_waiting(appointment: Appointment) -> dict[tuple[str, str], str]:
    """Delete what still waits, except the news to somebody who lost it; returns the kinds by audience and address."""
    waiting = appointment.notifications.filter(state=NotificationState.WAITING)
    waiting = waiting.exclude(~Q(to=appointment.staff.email), audience=Audience.FORMER)
    kinds = {(audience, to): kind for audience, to, kind in waiting.values_list("audience", "to", "kind")}
    waiting.delete()
    return kinds


def _rows(
    appointment: Appointment, mails: list[tuple[Audience, str, NotificationKind]]
) -> list[Notification]:
    return [
        Notification(
            appointment=appointment, kind=kind, sequence=appointment.version, audience=audience, to=address
        )
        for audience, address, kind in mails
        if address
    ]


def _kind_for(kind: NotificationKind, unheard: str | None) -> NotificationKind:
    """What to call the news where an earlier one was not sent: a cancelling is told as it is."""
    if unheard is None or kind == NotificationKind.CANCELLED or unheard == kind:
        return kind
    if unheard == NotificationKind.BOOKED:
        return NotificationKind.BOOKED
    return NotificationKind.CHANGED


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

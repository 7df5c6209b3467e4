"""What clients and staff are told by mail: an outbox, sent at most once.

Rows are written in the transaction of the change and sent afterwards. A row is committed as `sending` before the mail
server hears of it; a crash in between leaves it there rather than mailing twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from smtplib import SMTPException
from typing import Any

from django.db import transaction
from django.db.models import Count, DateTimeField, Min, Q
from django.db.models.functions import Now

from appointments.models import (
    SENDING_PATIENCE,
    Appointment,
    Audience,
    Notification,
    NotificationKind,
    NotificationState,
)
from appointments.notifications.before_after import PreviousValues, previous_values
from appointments.notifications.messages import message_for
from coconut.task_queue import enqueue_once_on_commit
from integrations.models import Meeting
from staff.models import StaffMember

_TASK = "appointments.send_waiting_notifications"

# One look at the outbox ends well before the task's time limit, which would kill it in the middle of a mail.
SENDING_SECONDS = 30


@dataclass(frozen=True)
class PendingNotification:
    """What one reader is to be told. `before` is how the appointment was when they last heard of it."""

    audience: Audience
    to: str
    kind: NotificationKind
    before: dict[str, Any] | None = None

    def after(self, unheard: Notification | None) -> PendingNotification:
        """The same where an earlier mail was taken back that nobody had read."""
        if unheard is None:
            return self
        return replace(self, kind=_kind_for(self, unheard), before=unheard.before)

    def has_changed(self, appointment: Appointment) -> bool:
        """Not so where everything is back to what the reader knows."""
        ends = self.kind == NotificationKind.CANCELLED
        return ends or self.before is None or previous_values(appointment, self.before) != PreviousValues()


def notifications_of_booking(appointment: Appointment) -> list[Notification]:
    """The mails to the client and the staff member, stored together with their appointment; then `send_soon`."""
    booked = NotificationKind.BOOKED
    return _rows(
        appointment, [PendingNotification(audience, to, booked) for audience, to in _addresses(appointment)]
    )


def send_soon() -> None:
    """Have a worker look at the outbox once the present transaction is committed."""
    enqueue_once_on_commit(_TASK)


def notify_all(
    appointment: Appointment,
    kind: NotificationKind,
    *,
    before: dict[str, Any] | None = None,
    former: StaffMember | None = None,
) -> None:
    """Put mails about a change to the client and the staff member into the outbox, in the caller's transaction.

    `before` is the `snapshot` of the appointment from before the change, `former` who had it then. What still waits to
    be sent is replaced: who was never told of the booking is told of it as it is now, and who was never told that they
    have it need not hear that they lost it. What is as the reader knows it is no news.
    """
    unheard = _take_back_waiting(appointment)
    mails = []
    for audience, to in _addresses(appointment):
        took_over = former is not None and audience == Audience.STAFF
        news = PendingNotification(audience, to, NotificationKind.REASSIGNED if took_over else kind, before)
        # Whoever was not told yet that they lost it has it still.
        mails.append(news.after(unheard.get((audience, to)) or unheard.get((Audience.FORMER, to))))
    if former is not None and (Audience.STAFF, former.email) not in unheard:
        mails.append(PendingNotification(Audience.FORMER, former.email, NotificationKind.CANCELLED, before))
    Notification.objects.bulk_create(
        _rows(appointment, [mail for mail in mails if mail.has_changed(appointment)])
    )
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
        if Meeting.objects.unclaimed().exists():
            send_soon()
            break
    return tried


def count_waiting() -> tuple[int, float]:
    """How many mails wait to be sent, and for how many seconds the oldest of them has."""
    waiting = Notification.objects.filter(state=NotificationState.WAITING)
    found = waiting.aggregate(number=Count("pk"), age=Now() - Min("created_at", output_field=DateTimeField()))
    return found["number"], found["age"].total_seconds() if found["age"] else 0.0


def _addresses(appointment: Appointment) -> list[tuple[Audience, str]]:
    return [(Audience.CLIENT, appointment.client.email), (Audience.STAFF, appointment.staff.email)]


def _take_back_waiting(appointment: Appointment) -> dict[tuple[str, str], Notification]:
    """Delete what still waits, except the news to somebody who lost it; returns it by audience and address."""
    waiting = appointment.notifications.filter(state=NotificationState.WAITING)
    waiting = waiting.exclude(~Q(to=appointment.staff.email), audience=Audience.FORMER)
    # Locked: what a worker takes up at this moment is heard of, and what is taken back here is taken up by nobody.
    waiting = waiting.select_for_update()
    unheard = {(mail.audience, mail.to): mail for mail in waiting}
    waiting.delete()
    return unheard


def _rows(appointment: Appointment, mails: list[PendingNotification]) -> list[Notification]:
    return [
        Notification(
            appointment=appointment,
            kind=mail.kind,
            sequence=appointment.version,
            audience=mail.audience,
            to=mail.to,
            before=mail.before,
        )
        for mail in mails
        if mail.to
    ]


def _kind_for(news: PendingNotification, unheard: Notification) -> NotificationKind:
    """What to call the news where an earlier one was not sent: a cancelling is told as it is."""
    earlier = NotificationKind(unheard.kind)
    if news.kind in (NotificationKind.CANCELLED, earlier):
        return news.kind
    took_over = earlier == NotificationKind.REASSIGNED and news.audience == Audience.STAFF
    return earlier if took_over or earlier == NotificationKind.BOOKED else NotificationKind.CHANGED


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
        Notification.objects.filter(pk=notification.pk).update(
            state=NotificationState.SENDING, claimed_at=Now()
        )
    return notification


def _send(notification: Notification) -> None:
    # ValueError: an address or name that no header or calendar can hold.
    try:
        message_for(notification).send()
    except (SMTPException, OSError, ValueError) as error:
        _end(notification, NotificationState.FAILED, error=f"{type(error).__name__}: {error}"[:300])
    else:
        _end(notification, NotificationState.SENT, sent_at=Now())


def _end(notification: Notification, state: NotificationState, **fields: object) -> None:
    """Note how it went; one that is to be sent again meanwhile, as this took so long, still is."""
    sending = Notification.objects.filter(pk=notification.pk, state=NotificationState.SENDING)
    sending.update(state=state, **fields)

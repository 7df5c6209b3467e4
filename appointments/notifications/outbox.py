"""Emails to clients and staff about an appointment, stored in the transaction of the change.

`staff.outbox` sends them. If the email about the previous change wasn't sent yet, the next change replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.db.models import Q

from appointments.models import Appointment, Audience, Notification, NotificationKind
from appointments.notifications.before_after import PreviousValues, previous_values
from appointments.notifications.messages import message_for
from staff.models import EmailState, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_emails


def _render_notification(email: OutboxEmail) -> EmailMultiAlternatives | None:
    """Return the message, or None if the appointment was deleted or the reader has a newer email about it."""
    notification = Notification.objects.filter(email=email).select_related("email").first()
    return message_for(notification) if notification is not None and not _has_newer(notification) else None


def _has_newer(notification: Notification) -> bool:
    """Return whether a later change has an email to the same reader. An email being sent can't be withdrawn by it."""
    is_client = notification.audience == Audience.CLIENT
    audiences = [Audience.CLIENT] if is_client else [Audience.STAFF, Audience.FORMER]
    to_reader = Notification.objects.filter(audience__in=audiences, email__to=notification.email.to)
    return to_reader.filter(appointment=notification.appointment_id, sequence__gt=notification.sequence).exists()


APPOINTMENT_EMAIL: Final = EmailKind("appointment", _render_notification)


@dataclass(frozen=True)
class PendingNotification:
    """A notification for one reader. `before` is the `snapshot` of the appointment that the reader last heard of."""

    audience: Audience
    to: str
    kind: NotificationKind
    before: dict[str, Any] | None = None

    def replacing(self, unsent: Notification | None) -> PendingNotification:
        """Return the notification that also covers the unsent one, which it replaces."""
        if unsent is None:
            return self
        return replace(self, kind=_combined_kind(self, unsent), before=unsent.before)

    def has_changed(self, appointment: Appointment) -> bool:
        """Return whether the appointment differs from what the reader knows."""
        ends = self.kind == NotificationKind.CANCELLED
        return ends or self.before is None or previous_values(appointment, self.before) != PreviousValues()


def notify_booked(appointment: Appointment) -> None:
    """Enqueue the emails to the client and the staff member about a new appointment."""
    booked = NotificationKind.BOOKED
    _enqueue(appointment, [PendingNotification(audience, to, booked) for audience, to in _addresses(appointment)])


def notify_all(
    appointment: Appointment,
    kind: NotificationKind,
    *,
    before: dict[str, Any] | None = None,
    former: StaffMember | None = None,
) -> None:
    """Enqueue the emails to the client and the staff member about a change, in the caller's transaction.

    `before` is the `snapshot` from before the change, and `former` the previous staff member. Waiting emails about the
    appointment are replaced: an unsent confirmation becomes a confirmation of the new state. A previous staff member
    who never got the confirmation gets no email, and neither does a reader who knows the present state.
    """
    unsent = _withdraw_waiting(appointment)
    pending = []
    for audience, to in _addresses(appointment):
        took_over = former is not None and audience == Audience.STAFF
        kind_for_reader = NotificationKind.REASSIGNED if took_over else kind
        notification = PendingNotification(audience, to, kind_for_reader, before)
        # A previous staff member with an unsent email still believes the appointment to be theirs.
        pending.append(notification.replacing(unsent.get((audience, to)) or unsent.get((Audience.FORMER, to))))
    if former is not None and (Audience.STAFF, former.email) not in unsent:
        pending.append(PendingNotification(Audience.FORMER, former.email, NotificationKind.CANCELLED, before))
    _enqueue(appointment, [each for each in pending if each.has_changed(appointment)])


def _addresses(appointment: Appointment) -> list[tuple[Audience, str]]:
    return [(Audience.CLIENT, appointment.client.email), (Audience.STAFF, appointment.staff.email)]


def _withdraw_waiting(appointment: Appointment) -> dict[tuple[str, str], Notification]:
    """Delete the waiting emails, except those to previous staff members. Return them by audience and address."""
    waiting = appointment.notifications.filter(email__state=EmailState.WAITING)
    waiting = waiting.exclude(~Q(email__to=[appointment.staff.email]), audience=Audience.FORMER)
    # The lock decides between this change and a worker that claims the email at the same moment.
    found = list(waiting.select_related("email").select_for_update(of=("email",)).order_by("-sequence"))
    if found:
        OutboxEmail.objects.filter(pk__in=[each.email_id for each in found]).delete()
    # Of several emails to one reader, the oldest knows what the reader last heard of.
    return {(each.audience, each.to): each for each in found}


def _enqueue(appointment: Appointment, pending: list[PendingNotification]) -> None:
    notifications = [
        Notification(
            appointment=appointment,
            email=OutboxEmail(
                kind=APPOINTMENT_EMAIL.name,
                to=[each.to],
                organization_id=appointment.organization_id,
                language=appointment.client.language if each.audience == Audience.CLIENT else "",
            ),
            kind=each.kind,
            sequence=appointment.version,
            audience=each.audience,
            before=each.before,
        )
        for each in pending
        if each.to
    ]
    enqueue_emails([each.email for each in notifications])
    Notification.objects.bulk_create(notifications)


def _combined_kind(pending: PendingNotification, unsent: Notification) -> NotificationKind:
    """Return the kind of an email that replaces an unsent one. A cancellation stays a cancellation."""
    previous = NotificationKind(unsent.kind)
    if pending.kind in (NotificationKind.CANCELLED, previous):
        return pending.kind
    took_over = previous == NotificationKind.REASSIGNED and pending.audience == Audience.STAFF
    return previous if took_over or previous == NotificationKind.BOOKED else NotificationKind.CHANGED

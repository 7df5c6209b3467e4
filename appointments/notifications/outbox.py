"""Emails to clients and staff about an appointment, stored in the transaction of the change.

`staff.outbox` sends them. If the email about the previous change wasn't sent yet, the next change replaces it. Emails
about changes wait for HOLD. Quick changes and their Undo then lead to one email or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from appointments.models import (
    LIVE_STATUSES,
    Appointment,
    AppointmentEventKind,
    Audience,
    Notification,
    NotificationKind,
)
from appointments.notifications.before_after import PreviousValues, has_new_staff_link, previous_values
from appointments.notifications.entry_holders import former_holders
from appointments.notifications.messages import message_for, summary_for
from appointments.notifications.switches import switches_of
from appointments.timeline import Fact, record_event
from staff.models import EmailState, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_emails

#: Time in which further changes join the email about a change. Undo on the schedule is possible meanwhile.
HOLD: Final = timedelta(seconds=30)

_is_bulk_change: ContextVar[bool] = ContextVar("is_bulk_change", default=False)
_is_client_spared: ContextVar[bool] = ContextVar("is_client_spared", default=False)


@contextmanager
def one_email_per_staff_member() -> Iterator[None]:
    """Collect the emails to staff about the changes in this block: one email for each staff member.

    Each change is still notified in its own transaction, so that a killed process leaves no change without an email.
    """
    token = _is_bulk_change.set(True)
    try:
        yield
    finally:
        _is_bulk_change.reset(token)


@contextmanager
def client_not_emailed(is_spared: bool = True) -> Iterator[None]:
    """Send the client no email about the changes in this block if `is_spared`. The timeline says so.

    An unsent email about an earlier change stays and has the facts of this one, except after a cancellation.
    """
    token = _is_client_spared.set(is_spared)
    try:
        yield
    finally:
        _is_client_spared.reset(token)


def _render_notification(email: OutboxEmail) -> EmailMultiAlternatives | None:
    """Return the message, or None if the appointment was deleted or the reader has a newer email about it.

    The client's email goes to their present address, even if it was corrected after the email was stored.
    """
    notification = Notification.objects.filter(email=email).select_related("email").first()
    if notification is None or _has_newer(notification):
        return None
    message = message_for(notification)
    if message is not None and message.to != email.to:
        email.to = message.to
        email.save(update_fields=["to"])
    return message


def _render_summary(email: OutboxEmail) -> EmailMultiAlternatives | None:
    """Return the message about the appointments that still concern the reader, or None if none does."""
    notifications = email.notifications.select_related("email").order_by("appointment__starts_at", "pk")
    live = notifications.filter(appointment__status__in=LIVE_STATUSES)
    listed = [notification for notification in live if not _has_newer(notification)]
    if not listed:
        return None
    return message_for(listed[0]) if len(listed) == 1 else summary_for(listed)


def _has_newer(notification: Notification) -> bool:
    """Return whether a later change has an email to the same reader. An email being sent can't be withdrawn by it."""
    newer = Notification.objects.filter(appointment=notification.appointment_id, sequence__gt=notification.sequence)
    newer = newer.exclude(kind=NotificationKind.REMINDER)
    if notification.audience == Audience.CLIENT:
        return newer.filter(audience=Audience.CLIENT).exists()
    return newer.exclude(audience=Audience.CLIENT).filter(email__to=notification.email.to).exists()


APPOINTMENT_EMAIL: Final = EmailKind("appointment", _render_notification)
#: About several appointments of one staff member.
SUMMARY_EMAIL: Final = EmailKind("appointments", _render_summary)


@dataclass(frozen=True)
class PendingNotification:
    """A notification for one reader. `before` is the `snapshot` of the appointment that the reader last heard of."""

    audience: Audience
    to: str
    kind: NotificationKind
    before: dict[str, Any] | None = None
    # Of the replaced email, so that its reader waits no longer. None: a confirmation goes at once, a change after HOLD.
    due_at: datetime | None = None
    joins_summary: bool = False
    # An unsent email that was announced stays announced, also if this kind is switched off.
    replaces_unsent: bool = False

    def replacing(self, unsent: Notification | None) -> PendingNotification:
        """Return the notification that also covers the unsent one, which it replaces."""
        if unsent is None:
            # Calendars remove an entry only by a CANCEL of its own.
            is_listed = self.audience == Audience.STAFF and self.kind != NotificationKind.CANCELLED
            return replace(self, joins_summary=_is_bulk_change.get() and is_listed)
        return replace(
            self,
            kind=_combined_kind(self, unsent),
            before=unsent.before,
            due_at=unsent.email.due_at,
            replaces_unsent=True,
        )

    def has_changed(self, appointment: Appointment) -> bool:
        """Return whether the appointment differs from what the reader knows."""
        if self.kind == NotificationKind.CANCELLED or self.before is None:
            return True
        # An appointment that came back to its staff member has a new link for them.
        is_relinked = self.audience == Audience.STAFF and has_new_staff_link(appointment, self.before)
        return is_relinked or previous_values(appointment, self.before) != PreviousValues()


def notify_booked(appointment: Appointment) -> None:
    """Enqueue the emails to the client and the staff member about a new appointment."""
    booked = NotificationKind.BOOKED
    _enqueue(appointment, [PendingNotification(audience, to, booked) for audience, to in _addresses(appointment)])


def notify_new_address(appointment: Appointment) -> None:
    """Enqueue a confirmation to the client's new email address, in place of the waiting emails to the client.

    Its sequence is greater than that of any earlier email, so that calendars replace the entry.
    """
    _withdraw(appointment.notifications.filter(audience__in=[Audience.CLIENT, Audience.OLD_EMAIL]))
    confirmation = PendingNotification(Audience.CLIENT, appointment.client.email, NotificationKind.BOOKED)
    ends = [each for each in _ends_of_entries(appointment) if each.audience == Audience.OLD_EMAIL]
    _enqueue(appointment, [confirmation, *ends])


def notify_other_times(appointment: Appointment) -> None:
    """Enqueue an email that asks the client to choose another time. It replaces waiting emails to the client."""
    _withdraw(appointment.notifications.filter(audience=Audience.CLIENT))
    offered = NotificationKind.TIMES_OFFERED
    _enqueue(appointment, [PendingNotification(Audience.CLIENT, appointment.client.email, offered)])


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
    who never got the confirmation gets no email. Neither does a reader who knows the present state.
    """
    unsent = _withdraw_waiting(appointment)
    pending = []
    for audience, to in _addresses(appointment):
        took_over = former is not None and audience == Audience.STAFF
        kind_for_reader = NotificationKind.REASSIGNED if took_over else kind
        notification = PendingNotification(audience, to, kind_for_reader, before)
        # A previous staff member with an unsent email still believes the appointment to be theirs.
        pending.append(notification.replacing(unsent.get((audience, to)) or unsent.get((Audience.FORMER, to))))
    if former is not None and former.is_active and (Audience.STAFF, former.email) not in unsent:
        pending.append(PendingNotification(Audience.FORMER, former.email, NotificationKind.CANCELLED, before))
    known = {each.to for each in pending}
    pending += [end for end in _ends_of_entries(appointment, before) if end.to not in known]
    told = [each for each in pending if each.has_changed(appointment) and not _is_spared(each)]
    if any(_is_spared(each) for each in pending):
        record_event(appointment, Fact(AppointmentEventKind.CLIENT_NOT_EMAILED))
    _enqueue(appointment, told)


def _is_spared(pending: PendingNotification) -> bool:
    is_client = pending.audience in (Audience.CLIENT, Audience.OLD_EMAIL)
    if not _is_client_spared.get() or not is_client or not pending.to:
        return False
    return pending.kind == NotificationKind.CANCELLED or not pending.replaces_unsent


def _ends_of_entries(appointment: Appointment, before: dict[str, Any] | None = None) -> list[PendingNotification]:
    """Return the emails that remove the appointment from the calendars of earlier readers."""
    cancelled = NotificationKind.CANCELLED
    return [PendingNotification(audience, to, cancelled, before) for audience, to in former_holders(appointment)]


def _addresses(appointment: Appointment) -> list[tuple[Audience, str]]:
    """Return the readers. An inactive staff member gets no email: it would hold data of a client."""
    client = (Audience.CLIENT, appointment.client.email)
    return [client, (Audience.STAFF, appointment.staff.email)] if appointment.staff.is_active else [client]


def _withdraw_waiting(appointment: Appointment) -> dict[tuple[str, str], Notification]:
    """Delete the waiting emails, except those to previous staff members. Return them by audience and address."""
    to_others = ~Q(email__to=[appointment.staff.email])
    found = _withdraw(appointment.notifications.exclude(to_others, audience=Audience.FORMER))
    # Of several emails to one reader, the oldest knows what the reader last heard of.
    return {(each.audience, each.to): each for each in found}


def _withdraw(notifications: QuerySet[Notification]) -> list[Notification]:
    """Delete those of these emails that are waiting, and return them, the newest first."""
    # A reminder looks at the appointment when it is sent.
    waiting = notifications.filter(email__state=EmailState.WAITING).exclude(kind=NotificationKind.REMINDER)
    # The lock decides between this change and a worker that claims the email at the same moment.
    found = list(waiting.select_related("email").select_for_update(of=("email",)).order_by("-sequence"))
    if found:
        Notification.objects.filter(pk__in=[each.pk for each in found]).delete()
        # A summary stays if it covers other appointments.
        emails = OutboxEmail.objects.filter(pk__in=[each.email_id for each in found])
        emails.filter(notifications__isnull=True).delete()
    return found


def _enqueue(appointment: Appointment, pending: list[PendingNotification]) -> None:
    switches = switches_of(appointment.organization_id)
    sent = [each for each in pending if each.to and (each.replaces_unsent or switches.is_on(each.kind, each.audience))]
    notifications = [_new_notification(appointment, each) for each in sent]
    enqueue_emails([each.email for each in notifications if each.email.pk is None])
    Notification.objects.bulk_create(notifications)


def _new_notification(appointment: Appointment, pending: PendingNotification) -> Notification:
    """Return an unsaved notification. Its email is unsaved too, or the waiting summary that it joins."""
    return Notification(
        appointment=appointment,
        email=_waiting_summary(pending) or _new_email(appointment, pending),
        kind=pending.kind,
        sequence=appointment.version,
        audience=pending.audience,
        before=pending.before,
    )


def _new_email(appointment: Appointment, pending: PendingNotification) -> OutboxEmail:
    is_confirmation = pending.kind == NotificationKind.BOOKED
    return OutboxEmail(
        kind=SUMMARY_EMAIL.name if pending.joins_summary else APPOINTMENT_EMAIL.name,
        to=[pending.to],
        organization_id=appointment.organization_id,
        language=appointment.client.language if pending.audience == Audience.CLIENT else "",
        due_at=pending.due_at or (Now() if is_confirmation else Now() + HOLD),
    )


def _waiting_summary(pending: PendingNotification) -> OutboxEmail | None:
    """Lock and return the summary to the same staff member that isn't due yet, if any."""
    if not pending.joins_summary:
        return None
    waiting = OutboxEmail.objects.waiting().filter(kind=SUMMARY_EMAIL.name, to=[pending.to], due_at__gt=Now())
    # The lock keeps a worker from sending it before the caller's transaction ends.
    return waiting.select_for_update(skip_locked=True).first()


def _combined_kind(pending: PendingNotification, unsent: Notification) -> NotificationKind:
    """Return the kind of an email that replaces an unsent one. A cancellation stays a cancellation."""
    previous = NotificationKind(unsent.kind)
    if pending.kind in (NotificationKind.CANCELLED, previous):
        return pending.kind
    took_over = previous == NotificationKind.REASSIGNED and pending.audience == Audience.STAFF
    return previous if took_over or previous == NotificationKind.BOOKED else NotificationKind.CHANGED

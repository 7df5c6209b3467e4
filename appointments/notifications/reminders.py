"""Reminders before appointments.

Beat checks each rule once a minute for the appointments whose reminder became due since the last check. It reads a
narrow range of an index that exists anyway. Rows for future reminders would have to follow every booking, move and
change of the settings, and half a million appointments would need millions of them.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from appointments.email_settings_models import OwnReminders, ReminderRule
from appointments.models import Appointment, Audience, Notification, NotificationKind, Status
from appointments.notifications.messages import message_for
from appointments.notifications.switches import Switches, switches_of
from coconut.isolation import isolated
from staff.models import OutboxEmail
from staff.outbox import EmailKind, enqueue_emails

#: Reminders that are stored in one transaction.
BATCH: Final = 500
#: Seconds after which a run stops. The next one continues.
RUN_SECONDS: Final = 30


def enqueue_reminders() -> None:
    """Store the emails of all reminders that became due."""
    until = time.monotonic() + RUN_SECONDS
    # Those checked longest ago first, so that a run that stops early delays none for long.
    for pk in ReminderRule.objects.order_by("checked_until", "pk").values_list("pk", flat=True):
        with isolated(f"Reminder rule {pk}"):
            while time.monotonic() < until and not _check_rule(pk):
                pass


def rules_for(appointment: Appointment) -> QuerySet[ReminderRule]:
    """Return the rules that hold for an appointment: the service's own ones, else the organisation's."""
    has_own = OwnReminders.objects.filter(service=appointment.service_id).exists()
    service = appointment.service_id if has_own else None
    return ReminderRule.objects.filter(organization=appointment.organization_id, service=service)


def due_appointments(rule: ReminderRule, now: datetime) -> QuerySet[Appointment]:
    """Return the appointments whose reminder became due since the last check and isn't stored yet.

    An appointment that was booked, or whose readers got an email about it, after that moment needs no reminder.
    """
    ahead = timedelta(minutes=rule.minutes)
    about_it = Notification.objects.filter(appointment=OuterRef("pk"))
    told = about_it.filter(email__created_at__gt=OuterRef("starts_at") - ahead).exclude(kind=NotificationKind.REMINDER)
    stored = about_it.filter(reminded_start=OuterRef("starts_at"), minutes_before=rule.minutes)
    own = OwnReminders.objects.filter(service=OuterRef("service"))
    return Appointment.objects.filter(
        Q(service=rule.service_id) if rule.service_id else ~Exists(own),
        ~Exists(told),
        ~Exists(stored),
        organization=rule.organization_id,
        status=Status.CONFIRMED,
        starts_at__gt=max(rule.checked_until + ahead, now),
        starts_at__lte=now + ahead,
        created_at__lte=F("starts_at") - ahead,
    )


def _check_rule(pk: int) -> bool:
    """Store a batch of due reminders of a rule. Return False if more are due."""
    now = timezone.now()
    with transaction.atomic():
        rule = ReminderRule.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if rule is None:
            return True
        # The clock was wrong before. The constraint keeps what was sent then from being sent again.
        rule.checked_until = min(rule.checked_until, now)
        switches = switches_of(rule.organization_id)
        due = due_appointments(rule, now).filter(_has_reader(switches)).select_related("client", "staff")
        found = list(due.order_by("starts_at", "pk")[:BATCH])
        _store_reminders(rule, found, switches)
        if is_last := len(found) < BATCH:
            rule.checked_until = now
        rule.save(update_fields=["checked_until"])
    return is_last


def _has_reader(switches: Switches) -> Q:
    reader = Q(pk__in=[])
    if switches.is_on(NotificationKind.REMINDER, Audience.CLIENT):
        reader |= ~Q(client__email="")
    if switches.is_on(NotificationKind.REMINDER, Audience.STAFF):
        reader |= Q(staff__is_active=True)
    return reader


def _store_reminders(rule: ReminderRule, appointments: list[Appointment], switches: Switches) -> None:
    reminders = [
        Notification(
            appointment=appointment,
            email=_new_email(appointment, audience, to),
            kind=NotificationKind.REMINDER,
            sequence=appointment.version,
            audience=audience,
            reminded_start=appointment.starts_at,
            minutes_before=rule.minutes,
        )
        for appointment in appointments
        for audience, to in _readers(appointment, switches)
    ]
    if reminders:
        enqueue_emails([reminder.email for reminder in reminders])
        Notification.objects.bulk_create(reminders)


def _readers(appointment: Appointment, switches: Switches) -> list[tuple[Audience, str]]:
    """Return the readers who have an address and whose reminders are switched on."""
    staff = appointment.staff.email if appointment.staff.is_active else ""
    readers = [(Audience.CLIENT, appointment.client.email), (Audience.STAFF, staff)]
    return [each for each in readers if each[1] and switches.is_on(NotificationKind.REMINDER, each[0])]


def _new_email(appointment: Appointment, audience: Audience, to: str) -> OutboxEmail:
    return OutboxEmail(
        kind=REMINDER_EMAIL.name,
        to=[to],
        organization_id=appointment.organization_id,
        language=appointment.client.language if audience == Audience.CLIENT else "",
    )


def _render_reminder(email: OutboxEmail) -> EmailMultiAlternatives | None:
    """Return the message, or None if the reminder is of no use any more."""
    reminder = Notification.objects.filter(email=email).select_related("email").first()
    if reminder is None:
        return None
    message = message_for(reminder)
    # After reading the facts of the message: a change in between is found here.
    if message is None or not _is_useful(reminder):
        return None
    if message.to != email.to:
        email.to = message.to
        email.save(update_fields=["to"])
    return message


def _is_useful(reminder: Notification) -> bool:
    """Return whether the appointment is still at that time with that reader, and no later reminder is due."""
    appointment = Appointment.objects.select_related("staff").get(pk=reminder.appointment_id)
    now = timezone.now()
    if appointment.status != Status.CONFIRMED or appointment.starts_at != reminder.reminded_start:
        return False
    if appointment.starts_at <= now or not switches_of(appointment.organization_id).is_on(
        reminder.kind, reminder.audience
    ):
        return False
    staff = appointment.staff
    if reminder.audience == Audience.STAFF and not (staff.is_active and staff.email == reminder.to):
        return False
    minutes_left = (appointment.starts_at - now).total_seconds() / 60
    later = rules_for(appointment).filter(minutes__gte=minutes_left, minutes__lt=reminder.minutes_before)
    return not later.exists()


REMINDER_EMAIL: Final = EmailKind("reminder", _render_reminder)

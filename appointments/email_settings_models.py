"""Settings of the emails about appointments: reminders, and which kinds are sent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from services.models import Service
from staff.models import Organization

#: Shortest and longest time between a reminder and the appointment, in minutes.
REMINDER_RANGE = (5, 30 * 24 * 60)


class EmailSettings(models.Model):
    """Switches of an organisation. `switches` holds those that an admin set: see `notifications.switches`."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="+")
    switches = models.JSONField(default=dict, blank=True)


class OwnReminders(models.Model):
    """Mark of a service whose reminders replace the organisation's. It may have none."""

    service = models.OneToOneField(Service, models.CASCADE, primary_key=True, related_name="own_reminders")


class ReminderRule(models.Model):
    """A reminder some minutes before an appointment, for one service or for all without reminders of their own."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="reminder_rules")
    service = models.ForeignKey(Service, models.CASCADE, related_name="reminder_rules", null=True, blank=True)
    minutes = models.PositiveIntegerField()
    # Reminders due until then were stored. A new rule starts now, so that it never sends overdue ones.
    checked_until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "minutes"], condition=Q(service=None), name="organization_reminder_once"
            ),
            models.UniqueConstraint(
                fields=["service", "minutes"], condition=Q(service__isnull=False), name="service_reminder_once"
            ),
            models.CheckConstraint(condition=Q(minutes__range=REMINDER_RANGE), name="reminder_in_range"),
        ]

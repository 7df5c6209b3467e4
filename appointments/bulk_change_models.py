"""Bulk changes of appointments that need attention. A worker makes them one by one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coconut.leases import LeasedModel, LeaseQuerySet
from staff.models import Organization, StaffMember


class BulkAction(models.TextChoices):
    REASSIGN = "reassign", _("Reassign")
    MOVE = "move", _("Offer other times")
    CANCEL = "cancel", _("Cancel")


class BulkChange(LeasedModel):
    """An action on many appointments. `finished_at` is empty while a worker has items to change."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="bulk_changes")
    action = models.CharField(max_length=10, choices=BulkAction)
    # Reason of a cancellation, which clients read. Blank once the change is finished.
    reason = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = LeaseQuerySet["BulkChange"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["started_at"], condition=Q(finished_at=None), name="bulk_change_unfinished"),
            models.Index(fields=["organization", "-started_at"], name="bulk_change_newest"),
        ]


class ItemOutcome(models.TextChoices):
    """Outcome for one appointment. Those after DONE say why it stayed as it was."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    SETTLED = "settled", _("It no longer needs attention.")
    CHANGED = "changed", _("It was changed meanwhile.")
    ASKED_BEFORE = "asked_before", _("The client was already asked to choose another time.")
    STAYS_OFF = "stays_off", _("A colleague can’t change that. Cancel it, or change its meeting method.")
    NO_CANDIDATE = "no_candidate", _("Nobody else provides this service there.")
    NONE_FREE = "none_free", _("Nobody else is free at that time.")
    NO_EMAIL = "no_email", _("The client has no email. Call them.")
    NO_OTHER_TIMES = "no_other_times", _("No other time is free.")
    REFUSED = "refused", _("It can no longer change.")
    FAILED = "failed", _("An error stopped this change. Try again, or change it on its page.")


class BulkChangeItem(models.Model):
    """An appointment of a bulk change. An appointment waits in one bulk change at most."""

    bulk_change = models.ForeignKey(BulkChange, models.CASCADE, related_name="items", db_index=False)
    appointment = models.ForeignKey("appointments.Appointment", models.CASCADE, related_name="bulk_items")
    # Version of the appointment when it was selected or, if DONE, after the change.
    version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=15, choices=ItemOutcome, default=ItemOutcome.WAITING)
    # The new staff member, if reassigned.
    staff = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bulk_change", "appointment"], name="appointment_once_per_bulk_change"),
            models.UniqueConstraint(
                fields=["appointment"], condition=Q(outcome="waiting"), name="appointment_waits_in_one_bulk_change"
            ),
        ]
        indexes = [models.Index(fields=["bulk_change", "outcome"], name="bulk_item_by_outcome")]


class AttentionEmail(models.Model):
    """Day of an organisation's last daily email about appointments that need attention, in its zone."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="+", primary_key=True)
    day = models.DateField()

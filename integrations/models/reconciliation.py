"""Nightly comparisons of meetings with the platform, and findings about single meetings."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.messages import Message, MessageField
from integrations.models.connections import Connection
from integrations.models.meetings import Meeting


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at__isnull=True)


class Reconciliation(models.Model):
    """Comparison of a connection's meetings with the platform and with their owners.

    `inspected` counts the meetings that workers must read. The other counts are final once `finished_at` is set.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="reconciliations")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    inspected = models.PositiveIntegerField(default=0)
    recreated = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    # Meetings that differed from what their owner needs, or that had no owner.
    repaired = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # Most common reason of the failures.
    reason = MessageField()

    objects = ReconciliationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[Any]] = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(finished_at__isnull=True),
                name="one_reconciliation_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["connection", "-started_at", "-id"], name="reconciliation_latest"),
        ]


class FindingKind(models.TextChoices):
    RECREATED = "recreated", _("Made again")
    RESTORED = "restored", _("Put back")
    UNOWNED = "unowned", _("Let go")
    ORPHANED = "orphaned", _("Deleted after all")
    CANCELLED = "cancelled", _("Cancelled after all")
    MOVED = "moved", _("Moved after all")


class Finding(models.Model):
    """A difference, and how it was repaired. Append-only."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="findings")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="findings", db_index=False)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=12, choices=FindingKind)
    # For the message "finding.<kind>".
    params = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[Any]] = ["-at", "-pk"]
        indexes = [models.Index(fields=["connection", "-at", "-id"], name="finding_by_connection")]

    @property
    def message(self) -> Message:
        return Message(f"finding.{self.kind}", self.params)

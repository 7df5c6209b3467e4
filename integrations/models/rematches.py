"""The passes over everybody that find out who is whom, and who changed in them."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coconut.leases import LeasedModel, LeaseQuerySet
from integrations.messages import MessageField
from integrations.models.connections import Connection, MatchField
from integrations.models.matches import MatchStatus
from integrations.platforms.values import MatchReason
from staff.models import StaffMember


class RematchTrigger(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    ADMIN = "admin", _("Rematch all users")
    REAUTHORIZED = "reauthorized", _("Reauthorized")
    FIELD_CHANGED = "field_changed", _("Matched field changed")


class RematchScope(models.TextChoices):
    """Whom a run asks for, and whether what it learns is kept."""

    ALL = "all", _("All users")
    FAILED = "failed", _("Only the failed")
    PREVIEW = "preview", _("Preview of another field")


class RematchState(models.TextChoices):
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")


class RematchRunQuerySet(LeaseQuerySet["RematchRun"]):
    def running(self) -> Self:
        return self.filter(state=RematchState.RUNNING)

    def rematches(self) -> Self:
        """Runs whose answers are kept."""
        return self.exclude(scope=RematchScope.PREVIEW)

    def previews(self) -> Self:
        """Runs that only count what the answers would change."""
        return self.filter(scope=RematchScope.PREVIEW)


class RematchRun(LeasedModel):
    """One pass over the staff of the organisation. Resumes behind `cursor`, the last staff pk that was written.

    A preview looks up another field than the connection's, and its answers are counted and forgotten.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="rematch_runs")
    scope = models.CharField(max_length=10, choices=RematchScope, default=RematchScope.ALL)
    # The field that is looked up: an answer about another one than the connection's is never kept.
    match_field = models.CharField(max_length=10, choices=MatchField)
    trigger = models.CharField(max_length=15, choices=RematchTrigger)
    started_by = models.ForeignKey(
        StaffMember, models.SET_NULL, related_name="rematch_runs", null=True, blank=True
    )
    state = models.CharField(max_length=10, choices=RematchState, default=RematchState.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    # For "only the failed" after a run that ended early: it did not reach the people behind this staff pk.
    unreached_after = models.BigIntegerField(null=True, blank=True)
    counts_before = models.JSONField(default=dict)
    counts_after = models.JSONField(default=dict)
    error = MessageField()
    # When the run may be worked on again, and by whom it is being worked on now.
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    # Since when, and from how many people on, the present worker works: the rate is measured from there.
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_done = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    # When somebody said that the result was read, or that the preview is not wanted any more.
    dismissed_at = models.DateTimeField(null=True, blank=True)

    objects = RematchRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                "connection", condition=Q(state="running"), name="one_run_at_a_time_per_connection"
            )
        ]

    @property
    def is_running(self) -> bool:
        return self.state == RematchState.RUNNING

    @property
    def is_preview(self) -> bool:
        return self.scope == RematchScope.PREVIEW


class MatchChangeQuerySet(models.QuerySet["MatchChange"]):
    def significant(self) -> Self:
        """Without whoever is what they were before, as the same remote user."""
        return self.exclude(before=F("after"), is_other_user=False)


class MatchChange(models.Model):
    """Who went from which status to which in a run, or would, and what the platform said about them."""

    run = models.ForeignKey(RematchRun, models.CASCADE, related_name="changes")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="+")
    before = models.CharField(max_length=10, choices=MatchStatus)
    after = models.CharField(max_length=10, choices=MatchStatus)
    # Whether another remote user than before was found.
    is_other_user = models.BooleanField(default=False)
    queried_name = models.CharField(max_length=320, blank=True)
    remote_user_name = models.CharField(max_length=320, blank=True)
    reason = models.CharField(max_length=20, choices=MatchReason, blank=True)
    hint = models.CharField(max_length=500, blank=True)

    objects = MatchChangeQuerySet.as_manager()

    class Meta:
        ordering = ["staff"]
        constraints = [models.UniqueConstraint(fields=["run", "staff"], name="one_change_per_person_and_run")]

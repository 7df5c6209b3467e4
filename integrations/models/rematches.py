"""Rematch runs over all staff of a connection, and the changes that each run found."""

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
    """The staff that a run looks up, and whether it stores the results."""

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
        """Return the runs that store their results."""
        return self.exclude(scope=RematchScope.PREVIEW)

    def previews(self) -> Self:
        """Return the runs that only count what would change."""
        return self.filter(scope=RematchScope.PREVIEW)


class RematchRun(LeasedModel):
    """Pass over the staff of the organisation. It resumes after `cursor`, the last staff pk that was written.

    A preview looks up another field than the connection's, and only counts the results.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="rematch_runs")
    scope = models.CharField(max_length=10, choices=RematchScope, default=RematchScope.ALL)
    # The field that is looked up. Results for another field than the connection's are never stored.
    match_field = models.CharField(max_length=10, choices=MatchField)
    trigger = models.CharField(max_length=15, choices=RematchTrigger)
    started_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="rematch_runs", null=True, blank=True)
    state = models.CharField(max_length=10, choices=RematchState, default=RematchState.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    # For "only the failed" after a run that ended early: staff with a larger pk were not looked up.
    unreached_after = models.BigIntegerField(null=True, blank=True)
    counts_before = models.JSONField(default=dict)
    counts_after = models.JSONField(default=dict)
    error = MessageField()
    # Time from which a worker may claim the run.
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    # Answers in a row that the platform's integration could not use.
    unusable_answers = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Time and number of people done when the current worker claimed the run; the rate is measured from there.
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_done = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    # Time when an admin dismissed the result or cancelled the preview.
    dismissed_at = models.DateTimeField(null=True, blank=True)

    objects = RematchRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint("connection", condition=Q(state="running"), name="one_run_at_a_time_per_connection")
        ]

    @property
    def is_running(self) -> bool:
        return self.state == RematchState.RUNNING

    @property
    def is_preview(self) -> bool:
        return self.scope == RematchScope.PREVIEW


class MatchChangeQuerySet(models.QuerySet["MatchChange"]):
    def significant(self) -> Self:
        """Return the changes of status or of remote user."""
        return self.exclude(before=F("after"), is_other_user=False)


class MatchChange(models.Model):
    """A staff member's status before and after a run (or the status after a preview), with the lookup's result."""

    run = models.ForeignKey(RematchRun, models.CASCADE, related_name="changes")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="+")
    before = models.CharField(max_length=10, choices=MatchStatus)
    after = models.CharField(max_length=10, choices=MatchStatus)
    # Whether the run found another remote user than before.
    is_other_user = models.BooleanField(default=False)
    # Whether that user has the same user name: the platform's user was deleted and created again.
    is_recreated = models.BooleanField(default=False, db_default=False)
    queried_name = models.CharField(max_length=320, blank=True)
    remote_user_name = models.CharField(max_length=320, blank=True)
    reason = models.CharField(max_length=20, choices=MatchReason, blank=True)
    hint = models.CharField(max_length=500, blank=True)

    objects = MatchChangeQuerySet.as_manager()

    class Meta:
        ordering = ["staff"]
        constraints = [models.UniqueConstraint(fields=["run", "staff"], name="one_change_per_person_and_run")]

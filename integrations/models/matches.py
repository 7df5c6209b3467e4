"""Who is whom on a platform, and the passes over everybody that find out."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.models.connections import Connection
from integrations.platforms import MatchReason
from staff.models import StaffMember


class DirectoryState(models.TextChoices):
    """What the platform's directory said about a person."""

    UNKNOWN = "unknown"
    MATCHED = "matched"
    UNMATCHED = "unmatched"


class Coverage(models.TextChoices):
    """Whether the platform lets us host meetings as a person (only asked where that differs by person)."""

    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"
    COVERED = "covered"
    FORBIDDEN = "forbidden"
    WAITING = "waiting"


class MatchStatus(models.TextChoices):
    """What people see. Derived in the database, never stored by hand."""

    CHECKING = "checking", _("Checking…")
    MATCHED = "matched", _("Matched")
    UNMATCHED = "unmatched", _("Unmatched")
    FORBIDDEN = "forbidden", _("Forbidden")


class UserMatch(models.Model):
    """One person on one connection: the admin's wish (`enabled`) and what the platform answered."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="matches")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="video_matches")
    enabled = models.BooleanField(default=False, db_default=False)
    directory = models.CharField(
        max_length=10,
        choices=DirectoryState,
        default=DirectoryState.UNKNOWN,
        db_default=DirectoryState.UNKNOWN,
    )
    coverage = models.CharField(
        max_length=10, choices=Coverage, default=Coverage.NOT_NEEDED, db_default=Coverage.NOT_NEEDED
    )
    coverage_checked_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=20, choices=MatchReason.choices(), blank=True, db_default="")
    remote_id = models.CharField(max_length=100, blank=True, db_default="")
    remote_upn = models.CharField(max_length=320, blank=True, db_default="")
    remote_name = models.CharField(max_length=300, blank=True, db_default="")
    # The value that was looked up: an answer counts only while the staff field still holds it.
    looked_up = models.CharField(max_length=320, blank=True, null=True)
    hint = models.CharField(max_length=500, blank=True, db_default="")
    checked_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey("RematchRun", models.SET_NULL, related_name="matches", null=True, blank=True)
    status = models.GeneratedField(
        expression=Case(
            When(directory=DirectoryState.UNKNOWN, then=Value(MatchStatus.CHECKING)),
            When(directory=DirectoryState.UNMATCHED, then=Value(MatchStatus.UNMATCHED)),
            When(reason__in=MatchReason.forbidding(), then=Value(MatchStatus.FORBIDDEN)),
            When(coverage__in=[Coverage.FORBIDDEN, Coverage.WAITING], then=Value(MatchStatus.FORBIDDEN)),
            When(coverage=Coverage.UNKNOWN, then=Value(MatchStatus.CHECKING)),
            default=Value(MatchStatus.MATCHED),
        ),
        output_field=models.CharField(max_length=10, choices=MatchStatus),
        db_persist=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "staff"], name="one_match_per_person")]
        indexes = [
            models.Index(fields=["connection", "status"], name="match_by_status"),
            models.Index(fields=["connection", "enabled"], name="match_by_enabled"),
            models.Index(fields=["connection", "remote_id"], name="match_by_remote_id"),
        ]

    @property
    def can_host(self) -> bool:
        """Whether new video appointments may be booked with this person on this connection."""
        return self.enabled and self.status == MatchStatus.MATCHED


class RematchTrigger(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    ADMIN = "admin", _("Rematch all users")
    REAUTHORIZED = "reauthorized", _("Reauthorized")
    FIELD_CHANGED = "field_changed", _("Matched field changed")


class RematchState(models.TextChoices):
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")


class RematchRun(models.Model):
    """One pass over everybody in the organisation. Resumes behind `cursor`, the last staff pk that was written."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="rematch_runs")
    trigger = models.CharField(max_length=15, choices=RematchTrigger)
    started_by = models.ForeignKey(
        StaffMember, models.SET_NULL, related_name="rematch_runs", null=True, blank=True
    )
    state = models.CharField(max_length=10, choices=RematchState, default=RematchState.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    counts_before = models.JSONField(default=dict)
    counts_after = models.JSONField(default=dict)
    # Who went from what to what: [{"staff": 7, "before": "checking", "after": "matched"}, …]
    changes = models.JSONField(default=list)
    error = models.TextField(blank=True)
    # When the run may be worked on again, and by whom it is being worked on now.
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                "connection", condition=Q(state="running"), name="one_run_at_a_time_per_connection"
            )
        ]

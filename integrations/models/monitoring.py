"""Results of nightly monitoring: staff whose match would change, and organizers near the capacity limit."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from integrations.models.connections import Connection
from integrations.models.matches import MatchStatus
from integrations.platforms.values import MatchReason
from staff.models import StaffMember


class DriftWatch(models.Model):
    """Schedule of a connection's drift watch. A sync token is the platform's opaque position in its change feed."""

    # No reverse accessor: the one-to-one rows of a connection belong to the platforms.
    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="+")
    due_at = models.DateTimeField(db_default=Now())
    sync_token = models.TextField(blank=True, db_default="")
    # Progress of a watch that was interrupted: the token for the next night, and the staff who were looked up.
    next_sync_token = models.TextField(blank=True, default="", db_default="")
    checked_staff = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)


class DriftFinding(models.Model):
    """A staff member whose match would change in a rematch. It is deleted by a rematch or a watch without a change.

    `after` is the status after the rematch. `meetings` counts the meetings in the week after `checked_at`.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="drift_findings")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="+")
    after = models.CharField(max_length=10, choices=MatchStatus)
    is_other_user = models.BooleanField(default=False)
    # The other user has the same user name.
    is_recreated = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=20, choices=MatchReason, blank=True)
    hint = models.CharField(max_length=500, blank=True)
    remote_user_name = models.CharField(max_length=320, blank=True)
    meetings = models.PositiveIntegerField(default=0)
    found_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(db_default=Now())
    # Time of the email to the admins, sent once.
    notified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-meetings", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "staff"], name="one_drift_finding_per_person"),
        ]


class OrganizerUsage(models.Model):
    """Number of meetings of one organizer that used the platform's capacity in one window.

    `window_start` is the window's first day in UTC. `notified_percent` is the highest threshold for which the admins
    were notified.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="organizer_usages")
    organizer_id = models.CharField(max_length=100)
    window_start = models.DateField()
    meetings = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(db_default=Now())
    notified_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-window_start", "-meetings", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "window_start", "organizer_id"],
                name="one_usage_per_organizer_and_window",
            ),
        ]

"""What nightly looks at the platform found: who would not be matched any more, and who hosts nearly too much."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from integrations.models.connections import Connection
from integrations.models.matches import MatchStatus
from integrations.platforms.values import MatchReason
from staff.models import StaffMember


class DriftWatch(models.Model):
    """When a connection is watched next, and from where on. `mark` is the platform's: nobody else understands it."""

    # Hidden from the connection: its one-to-one rows are those of the platforms.
    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="+")
    due_at = models.DateTimeField(db_default=Now())
    mark = models.TextField(blank=True, db_default="")
    finished_at = models.DateTimeField(null=True, blank=True)


class DriftFinding(models.Model):
    """Somebody whose match would be another one after a rematch; it is theirs until an answer is written, or a look
    finds them fine.

    `after` is the status they would have, `meetings` how many of theirs are in the week after `checked_at`.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="drift_findings")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="+")
    after = models.CharField(max_length=10, choices=MatchStatus)
    is_other_user = models.BooleanField(default=False)
    reason = models.CharField(max_length=20, choices=MatchReason, blank=True)
    hint = models.CharField(max_length=500, blank=True)
    remote_user_name = models.CharField(max_length=320, blank=True)
    meetings = models.PositiveIntegerField(default=0)
    found_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(db_default=Now())
    # When the admins were mailed about it: once.
    notified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-meetings", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "staff"], name="one_drift_finding_per_person"),
        ]


class OrganizerMonth(models.Model):
    """How many meetings of one organizer the platform was asked about in a calendar month (UTC).

    `month` is its first day; `told` the highest threshold, in per cent, that the admins were mailed about.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="organizer_months")
    organizer_id = models.CharField(max_length=100)
    month = models.DateField()
    meetings = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(db_default=Now())
    told = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-month", "-meetings", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "month", "organizer_id"], name="one_count_per_organizer_and_month"
            ),
        ]

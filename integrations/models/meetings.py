"""The meetings that must exist on a platform."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.leases import LeasedModel, LeaseQuerySet
from integrations.models.connections import Connection
from integrations.platforms.failures import ErrorKind
from staff.models import Organization, StaffMember


class DesiredState(models.TextChoices):
    PRESENT = "present"
    ABSENT = "absent"


class MeetingState(models.TextChoices):
    """What people see of a meeting. Derived in the database, never stored by hand."""

    PENDING = "pending", _("Creating the link…")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLING = "cancelling", _("Cancelling…")
    CANCELLED = "cancelled", _("Cancelled")


# What a worker that is free needs less time for, and how long somebody looks at a page that says "Creating the link…".
_TAKEN_UP_WITHIN = timedelta(seconds=0.5)
_JUST_NOW = timedelta(minutes=1)
#: It should be gone, and the platform may still have it.
DELETING = Q(desired_state=DesiredState.ABSENT) & ~Q(synced_version=F("version"))


class MeetingQuerySet(LeaseQuerySet["Meeting"]):
    def due(self) -> Self:
        """Meetings that somebody should work on now: due, not held, on a connection able to work."""
        return self.due_on(Connection.objects.able_to_work())

    def due_on(self, connections: models.QuerySet[Connection]) -> Self:
        """Meetings of these connections that are due and that nobody holds."""
        return self.unleased().filter(due_at__lte=Now(), connection__in=connections.values("pk"))

    def unclaimed(self) -> Self:
        """Meetings that somebody asked for a moment ago, and that no worker took up: there is none free.

        Who asks writes both times at once; the sweep writes only when it nudged.
        """
        now = Now()
        return self.due().filter(
            due_at=F("enqueued_at"), due_at__range=(now - _JUST_NOW, now - _TAKEN_UP_WITHIN)
        )

    def deleting(self) -> Self:
        """Meetings that should be gone and that the platform may still have, whether somebody works on that or not."""
        return self.filter(DELETING)

    def failed(self) -> Self:
        """Meetings that nobody works on any more although the platform does not agree yet."""
        return self.filter(due_at__isnull=True).exclude(error_kind="").exclude(state=MeetingState.CANCELLED)

    def in_sync(self) -> Self:
        """Meetings with a link that the platform agreed to, and that nobody works on."""
        return self.filter(
            desired_state=DesiredState.PRESENT,
            synced_version=F("version"),
            due_at__isnull=True,
            error_kind="",
        ).exclude(remote_id="")

    def orphaned(self) -> Self:
        """Cancelled meetings that were given up before the platform had deleted them: only those keep a warning."""
        return self.filter(
            desired_state=DesiredState.ABSENT, synced_version=F("version"), due_at__isnull=True
        ).exclude(warning="")

    def nudged(self) -> int:
        """Note that a worker was just told about these."""
        return self.update(enqueued_at=Now())


class Meeting(LeasedModel):
    """What the remote side should look like, and how far it is known to agree.

    A request changes the desired values, raises `version` and sets `due_at`. `integrations.meetings.sync.sync_meeting`
    makes the platform agree and writes `synced_version`. The primary key is the platform's external id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="meetings")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="meetings")
    host = models.ForeignKey(StaffMember, models.PROTECT, related_name="hosted_meetings")
    # The remote object it is created under. Frozen, as is the connection: another organizer is another meeting.
    organizer_id = models.CharField(max_length=100)
    # [{"remote_id": …, "user_name": …, "role": "coorganizer"}]: always the full list.
    attendees = models.JSONField(default=list)
    subject = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    desired_state = models.CharField(max_length=7, choices=DesiredState, default=DesiredState.PRESENT)
    version = models.PositiveIntegerField(default=1)
    synced_version = models.PositiveIntegerField(default=0)
    remote_id = models.CharField(max_length=500, blank=True)
    join_url = models.TextField(blank=True)
    warning = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    # Tries since the last success; the wait before the next one grows with them.
    attempts = models.PositiveSmallIntegerField(default=0)
    # A write whose outcome is unknown was sent: by then it has landed, and the meeting is compared once more.
    recheck_at = models.DateTimeField(null=True, blank=True)
    # `integrations.meetings.reconciliation` reads each meeting at most twice; a time that is set never changes.
    week_check_at = models.DateTimeField(null=True, blank=True)
    day_check_at = models.DateTimeField(null=True, blank=True)
    error_kind = models.CharField(max_length=12, choices=ErrorKind, blank=True)
    error_sentence = models.TextField(blank=True)
    error_request_id = models.CharField(max_length=100, blank=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, related_name="replaces", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.GeneratedField(
        expression=Case(
            When(
                desired_state=DesiredState.ABSENT,
                synced_version=F("version"),
                then=Value(MeetingState.CANCELLED),
            ),
            # A link that works stays in people's hands, even where a move is under way or was refused.
            When(Q(desired_state=DesiredState.PRESENT) & ~Q(join_url=""), then=Value(MeetingState.READY)),
            When(~Q(error_kind="") & Q(due_at__isnull=True), then=Value(MeetingState.FAILED)),
            When(desired_state=DesiredState.ABSENT, then=Value(MeetingState.CANCELLING)),
            default=Value(MeetingState.PENDING),
        ),
        output_field=models.CharField(max_length=10, choices=MeetingState),
        db_persist=True,
    )

    objects = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="meeting_end_after_start"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="meeting_due"),
            models.Index(fields=["connection", "state"], name="meeting_by_state"),
            models.Index(fields=["connection"], condition=DELETING, name="meeting_being_let_go"),
            models.Index(
                fields=["connection", "starts_at"],
                condition=Q(due_at__isnull=True) & ~Q(error_kind=""),
                name="meeting_failed",
            ),
            models.Index(
                fields=["connection", "starts_at"],
                condition=Q(desired_state=DesiredState.PRESENT, day_check_at__isnull=True) & ~Q(remote_id=""),
                name="meeting_unread",
            ),
            models.Index(
                fields=["connection", "ends_at"],
                condition=Q(desired_state=DesiredState.ABSENT) & ~Q(warning=""),
                name="meeting_left_behind",
            ),
            # Of which meetings the platform was asked since a moment, for the month's count.
            models.Index(
                fields=["claimed_at"],
                include=["connection", "organizer_id"],
                condition=Q(claimed_at__isnull=False),
                name="meeting_asked_about",
            ),
        ]

    @property
    def has_failed(self) -> bool:
        """Whether nobody works on it any more although the platform does not agree: see `error_sentence`.

        A meeting that is ready can have failed, too: its link works, but the platform refused the last change.
        """
        return self.due_at is None and self.error_kind != "" and self.state != MeetingState.CANCELLED

    @property
    def is_read_for_comparison(self) -> bool:
        """Whether the next comparison is one of the two that nothing uncertain led to."""
        return self.recheck_at is not None and self.recheck_at in (
            self.week_check_at,
            self.day_check_at,
        )

"""Meetings, and pauses of single hosts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext_lazy as _

from coconut.leases import LeasedModel, LeaseQuerySet
from integrations.messages import MessageField
from integrations.models.connections import Connection
from integrations.platforms.failures import ErrorKind
from staff.models import Organization, StaffMember


class DesiredState(models.TextChoices):
    PRESENT = "present"
    ABSENT = "absent"


class MeetingState(models.TextChoices):
    """State of a meeting as pages show it. The database derives it; code never sets it."""

    PENDING = "pending", _("Creating the link…")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLING = "cancelling", _("Cancelling…")
    CANCELLED = "cancelled", _("Cancelled")


#: A free worker claims a meeting within this time.
_CLAIMED_WITHIN = timedelta(seconds=0.5)
#: People watch a page that says "Creating the link…" for so long.
_WATCHED_FOR = timedelta(minutes=1)
#: Condition of meetings that must be absent, and that the platform may still have.
DELETING = Q(desired_state=DesiredState.ABSENT) & ~Q(synced_version=F("version"))


class HostPauseQuerySet(models.QuerySet["HostPause"]):
    def pause(self, connection_id: int, organizer_id: str, duration: timedelta) -> None:
        """Pause the organizer for `duration` from now. A longer pause stays."""
        pause = HostPause(connection_id=connection_id, organizer_id=organizer_id, paused_until=Now())
        self.bulk_create([pause], ignore_conflicts=True)
        self.filter(connection=connection_id, organizer_id=organizer_id).update(
            paused_until=Greatest("paused_until", Now() + duration)
        )

    def others_paused(self, connection_id: int, organizer_id: str) -> Self:
        """Return the pauses of the connection's other organizers that aren't over."""
        return self.filter(connection=connection_id, paused_until__gt=Now()).exclude(organizer_id=organizer_id)


class HostPause(models.Model):
    """Pause that the platform requested for the meetings of one organizer only.

    The other organizers of the connection go on. `Connection.paused_until` pauses the whole connection.
    """

    # No reverse accessor: the one-to-one rows and the names on Connection belong to the platforms.
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    organizer_id = models.CharField(max_length=100)
    paused_until = models.DateTimeField()

    objects = HostPauseQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "organizer_id"], name="one_pause_per_organizer"),
        ]


def host_is_paused() -> Q:
    """Return the condition of meetings whose organizer is paused."""
    pauses = HostPause.objects.filter(
        connection=OuterRef("connection"), organizer_id=OuterRef("organizer_id"), paused_until__gt=Now()
    )
    return Q(Exists(pauses))


class MeetingQuerySet(LeaseQuerySet["Meeting"]):
    def due(self) -> Self:
        """Return the meetings that a worker can sync now: due, unleased, and neither connection nor host paused."""
        return self.due_on(Connection.objects.able_to_work())

    def due_on(self, connections: models.QuerySet[Connection]) -> Self:
        """Return the due and unleased meetings of the connections whose hosts aren't paused."""
        return self.unleased().filter(~host_is_paused(), due_at__lte=Now(), connection__in=connections.values("pk"))

    def unclaimed(self) -> Self:
        """Return the meetings that were requested a moment ago and not claimed yet: no worker is free.

        A request writes `due_at` and `enqueued_at` with the same time. The sweep writes only `enqueued_at`.
        """
        now = Now()
        return self.due().filter(due_at=F("enqueued_at"), due_at__range=(now - _WATCHED_FOR, now - _CLAIMED_WITHIN))

    def deleting(self) -> Self:
        """Return the meetings that must be absent and that the platform may still have, due or not."""
        return self.filter(DELETING)

    def failed(self) -> Self:
        """Return the meetings that are out of sync and no longer due."""
        return self.filter(due_at__isnull=True).exclude(error_kind="").exclude(state=MeetingState.CANCELLED)

    def in_sync(self) -> Self:
        """Return the meetings with a link that are in sync and not due."""
        return self.filter(
            desired_state=DesiredState.PRESENT,
            synced_version=F("version"),
            due_at__isnull=True,
            error_kind="",
        ).exclude(remote_id="")

    def orphaned(self) -> Self:
        """Return the cancelled meetings that were given up before the platform had deleted them."""
        return self.filter(is_orphaned=True, due_at__isnull=True)

    def mark_enqueued(self) -> int:
        """Record that a task was just sent for each of the meetings."""
        return self.update(enqueued_at=Now())


class Meeting(LeasedModel):
    """Desired state of a meeting on a platform, and the version that is known to be in sync.

    A request changes the desired values, raises `version` and sets `due_at`. `integrations.meetings.sync.sync_meeting`
    brings the platform in sync and writes `synced_version`. The platform finds the meeting by our primary key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="meetings")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="meetings")
    host = models.ForeignKey(StaffMember, models.PROTECT, related_name="hosted_meetings")
    # Remote id of the organizer. Never changes: another organizer needs another row.
    organizer_id = models.CharField(max_length=100)
    # [{"remote_id": …, "user_name": …, "role": "coorganizer"}], always the full list.
    attendees = models.JSONField(default=list)
    subject = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    desired_state = models.CharField(max_length=7, choices=DesiredState, default=DesiredState.PRESENT)
    version = models.PositiveIntegerField(default=1)
    synced_version = models.PositiveIntegerField(default=0)
    remote_id = models.CharField(max_length=500, blank=True)
    join_url = models.TextField(blank=True)
    # Part of the desired state that the platform refused.
    warning = MessageField()
    # Cancelled and given up before the platform confirmed the deletion.
    is_orphaned = models.BooleanField(default=False, db_default=False)
    # A worker claimed the meeting before, so the platform may have it even if `remote_id` is empty.
    may_exist = models.BooleanField(default=False, db_default=False)
    due_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    # Attempts since the last success. The pause before the next attempt grows with them.
    attempts = models.PositiveSmallIntegerField(default=0)
    # Attempts of this version that raised an unexpected exception since the last success.
    crashes = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Answers in a row to this version that the platform's integration could not use.
    unusable_answers = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Time by which a write with an unknown outcome has landed. The meeting is then compared once more.
    recheck_at = models.DateTimeField(null=True, blank=True)
    # `integrations.meetings.reconciliation` reads each meeting at most twice. A time that is set never changes.
    week_check_at = models.DateTimeField(null=True, blank=True)
    day_check_at = models.DateTimeField(null=True, blank=True)
    error_kind = models.CharField(max_length=12, choices=ErrorKind, blank=True)
    error = MessageField()
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
            # Pages keep showing a working link, even while a move is pending or after it was refused.
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
            models.CheckConstraint(
                condition=Q(is_orphaned=False) | Q(desired_state=DesiredState.ABSENT),
                name="orphaned_meeting_is_cancelled",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="meeting_due"),
            models.Index(fields=["connection", "state"], name="meeting_by_state"),
            models.Index(fields=["connection"], condition=DELETING, name="meeting_deleting"),
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
                condition=Q(is_orphaned=True),
                name="meeting_orphaned",
            ),
            # For the capacity count: meetings that were claimed since the start of the window.
            models.Index(
                fields=["claimed_at"],
                include=["connection", "organizer_id"],
                condition=Q(claimed_at__isnull=False),
                name="meeting_claimed",
            ),
        ]

    @property
    def has_failed(self) -> bool:
        """Return whether the meeting is out of sync and no longer due; `error` says why.

        A ready meeting can have failed, too: its link works, but the platform refused the last change.
        """
        return self.due_at is None and self.error_kind != "" and self.state != MeetingState.CANCELLED

    @property
    def is_read_for_comparison(self) -> bool:
        """Return whether the next comparison is one of the two that reconciliation scheduled."""
        return self.recheck_at is not None and self.recheck_at in (
            self.week_check_at,
            self.day_check_at,
        )

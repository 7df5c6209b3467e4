"""Connections to video platforms, who is matched on them, and the meetings that must exist there."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.platforms import ErrorKind, MatchReason
from staff.models import Organization, StaffMember


class ConnectionStatus(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    NEEDS_REAUTHORIZATION = "needs_reauthorization", _("Needs reauthorization")
    DISCONNECTED = "disconnected", _("Disconnected")


class MatchField(models.TextChoices):
    """The staff field that holds the platform's user name."""

    EMAIL = "email", _("Email")
    USERNAME = "username", _("Username")


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def live(self) -> Self:
        """Connections that were not disconnected, healthy or not."""
        return self.exclude(status=ConnectionStatus.DISCONNECTED)

    def able_to_work(self) -> Self:
        """Connections whose platform may be called now: healthy and not asked to pause."""
        return self.filter(status=ConnectionStatus.CONNECTED).filter(
            Q(paused_until__isnull=True) | Q(paused_until__lte=Now())
        )


class Connection(models.Model):
    """An organisation's connection to one video platform. What only the platform knows is the platform's own row."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="connections")
    platform = models.CharField(max_length=20)
    name = models.CharField(_("name"), max_length=200)
    match_field = models.CharField(max_length=10, choices=MatchField, default=MatchField.EMAIL)
    status = models.CharField(max_length=25, choices=ConnectionStatus, default=ConnectionStatus.CONNECTED)
    status_reason = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    # Set by a platform that asks everybody to wait (429); honoured by all workers.
    paused_until = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(
        StaffMember, models.SET_NULL, related_name="connections_made", null=True, blank=True
    )
    connected_at = models.DateTimeField()
    last_success_at = models.DateTimeField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                "organization", condition=Q(is_default=True), name="one_default_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | ~Q(status=ConnectionStatus.DISCONNECTED),
                name="default_is_not_disconnected",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.status != ConnectionStatus.DISCONNECTED

    @property
    def is_healthy(self) -> bool:
        return self.status == ConnectionStatus.CONNECTED


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


class Wanted(models.TextChoices):
    LIVE = "live"
    GONE = "gone"


class MeetingState(models.TextChoices):
    """What people see of a meeting. Derived in the database, never stored by hand."""

    PENDING = "pending", _("Creating the link…")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLING = "cancelling", _("Cancelling…")
    CANCELLED = "cancelled", _("Cancelled")


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def due(self) -> Self:
        """Meetings that somebody should work on now: due, not held, on a connection able to work."""
        return self.filter(
            due_at__lte=Now(), connection__in=Connection.objects.able_to_work().values("pk")
        ).filter(Q(lease_until__isnull=True) | Q(lease_until__lte=Now()))

    def failed(self) -> Self:
        """Meetings that nobody works on any more although the platform does not agree yet."""
        return self.filter(due_at__isnull=True).exclude(error_kind="").exclude(state=MeetingState.CANCELLED)

    def nudged(self) -> int:
        """Note that a worker was just told about these."""
        return self.update(nudged_at=Now())


class Meeting(models.Model):
    """What the remote side should look like, and how far it is known to agree.

    Every ask changes the wanted values, raises `version` and sets `due_at`; `integrations.meetings.sync_meeting`
    makes the platform agree and writes `synced_version`. The primary key is the platform's external id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="meetings")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="meetings")
    host = models.ForeignKey(StaffMember, models.PROTECT, related_name="hosted_meetings")
    # The remote object it is created under. Frozen, as is the connection: another organizer is another meeting.
    organizer_id = models.CharField(max_length=100)
    # [{"remote_id": …, "upn": …, "role": "coorganizer"}]: always the full list.
    attendees = models.JSONField(default=list)
    subject = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    wanted = models.CharField(max_length=4, choices=Wanted, default=Wanted.LIVE)
    version = models.PositiveIntegerField(default=1)
    synced_version = models.PositiveIntegerField(default=0)
    remote_id = models.CharField(max_length=500, blank=True)
    join_url = models.TextField(blank=True)
    warning = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # Tries since the last success; the wait before the next one grows with them.
    attempts = models.PositiveSmallIntegerField(default=0)
    # A write whose outcome is unknown was sent: by then it has landed, and the meeting is compared once more.
    recheck_at = models.DateTimeField(null=True, blank=True)
    error_kind = models.CharField(max_length=12, choices=ErrorKind.choices(), blank=True)
    error_sentence = models.TextField(blank=True)
    error_request_id = models.CharField(max_length=100, blank=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, related_name="replaces", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.GeneratedField(
        expression=Case(
            When(wanted=Wanted.GONE, synced_version=F("version"), then=Value(MeetingState.CANCELLED)),
            # A link that works stays in people's hands, even where a move is under way or was refused.
            When(Q(wanted=Wanted.LIVE) & ~Q(join_url=""), then=Value(MeetingState.READY)),
            When(~Q(error_kind="") & Q(due_at__isnull=True), then=Value(MeetingState.FAILED)),
            When(wanted=Wanted.GONE, then=Value(MeetingState.CANCELLING)),
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
        ]

    @property
    def has_failed(self) -> bool:
        """Whether nobody works on it any more although the platform does not agree: see `error_sentence`.

        A meeting that is ready can have failed, too: its link works, but the platform refused the last change.
        """
        return self.due_at is None and self.error_kind != "" and self.state != MeetingState.CANCELLED


class EventKind(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    REAUTHORIZED = "reauthorized", _("Reauthorized")
    DISCONNECTED = "disconnected", _("Disconnected")
    MADE_DEFAULT = "made_default", _("Made default")
    TURNED_ON = "turned_on", _("Video Calls turned on")
    TURNED_OFF = "turned_off", _("Video Calls turned off")
    REMATCHED = "rematched", _("Rematched")
    TOKEN_REFUSED = "token_refused", _("Sign-in refused by the platform")


class ConnectionEvent(models.Model):
    """The audit trail of a connection. Append-only."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)
    kind = models.CharField(max_length=20, choices=EventKind)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[Any]] = ["-at", "-pk"]

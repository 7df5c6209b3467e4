"""Staff-to-platform-user matches."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Now, Upper
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from integrations.models.connections import Connection, ConnectionEvent
from integrations.platforms.values import MatchReason
from staff.models import StaffMember


class DirectoryState(models.TextChoices):
    """Result of the last directory lookup."""

    UNKNOWN = "unknown"
    MATCHED = "matched"
    UNMATCHED = "unmatched"


class HostPermission(models.TextChoices):
    """Permission to host meetings as a person. NOT_NEEDED if the platform doesn't decide it per person."""

    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"
    WAITING = "waiting"


class MatchStatus(models.TextChoices):
    """Status that people see. The database derives it; code never sets it."""

    CHECKING = "checking", _("Checking…")
    MATCHED = "matched", _("Matched")
    UNMATCHED = "unmatched", _("Unmatched")
    FORBIDDEN = "forbidden", _("Forbidden")


class UserMatchQuerySet(models.QuerySet["UserMatch"]):
    def found(self) -> Self:
        """Return the matches of active staff with a user of the platform."""
        return self.filter(directory=DirectoryState.MATCHED, staff__is_active=True)

    def needing_permission(self, connection: Connection) -> Self:
        """Return the matches on a connection that lack nothing but the platform's host permission."""
        refused = Q(reason="", host_permission__in=[HostPermission.DENIED, HostPermission.WAITING])
        lacks_permission = Q(reason=MatchReason.NO_HOST_PERMISSION) | refused
        return self.found().filter(lacks_permission, connection=connection)

    def with_sharing(self) -> models.QuerySet[Any]:
        """Annotate `is_shared`: whether the match of another active staff member has the same remote user."""
        # `__gt=""`: thousands of matches without a remote user must not be compared with each other.
        others = UserMatch.objects.found().filter(
            connection=OuterRef("connection"), remote_id=OuterRef("remote_id"), remote_id__gt=""
        )
        return self.annotate(is_shared=Exists(others.exclude(staff=OuterRef("staff"))))


class UserMatch(models.Model):
    """A staff member on a connection: the Video Calls switch (`enabled`) and the platform's results."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="matches")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="video_matches")
    enabled = models.BooleanField(default=False, db_default=False)
    # The event that set `enabled` last, for Undo. Not indexed, because Undo reads all matches of the connection.
    switch_event = models.ForeignKey(
        ConnectionEvent, models.SET_NULL, related_name="+", null=True, blank=True, db_index=False
    )
    directory = models.CharField(
        max_length=10,
        choices=DirectoryState,
        default=DirectoryState.UNKNOWN,
        db_default=DirectoryState.UNKNOWN,
    )
    host_permission = models.CharField(
        max_length=10,
        choices=HostPermission,
        default=HostPermission.NOT_NEEDED,
        db_default=HostPermission.NOT_NEEDED,
    )
    host_permission_checked_at = models.DateTimeField(null=True, blank=True)
    # Time of the next host permission probe, unless permission is granted; in the future while a worker probes.
    host_permission_due_at = models.DateTimeField(db_default=Now())
    # Denied probes since the person was found or an admin reported the permission as granted.
    host_permission_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=20, choices=MatchReason, blank=True, db_default="")
    remote_id = models.CharField(max_length=100, blank=True, db_default="")
    remote_user_name = models.CharField(max_length=320, blank=True, db_default="")
    remote_name = models.CharField(max_length=300, blank=True, db_default="")
    # The value that was looked up. A result is valid only while the staff field still has this value.
    queried_name = models.CharField(max_length=320, blank=True, null=True)
    hint = models.CharField(max_length=500, blank=True, db_default="")
    checked_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey("RematchRun", models.SET_NULL, related_name="matches", null=True, blank=True)
    status = models.GeneratedField(
        expression=Case(
            When(directory=DirectoryState.UNKNOWN, then=Value(MatchStatus.CHECKING)),
            When(directory=DirectoryState.UNMATCHED, then=Value(MatchStatus.UNMATCHED)),
            When(reason__in=MatchReason.forbidding(), then=Value(MatchStatus.FORBIDDEN)),
            When(
                host_permission__in=[HostPermission.DENIED, HostPermission.WAITING],
                then=Value(MatchStatus.FORBIDDEN),
            ),
            When(host_permission=HostPermission.UNKNOWN, then=Value(MatchStatus.CHECKING)),
            default=Value(MatchStatus.MATCHED),
        ),
        output_field=models.CharField(max_length=10, choices=MatchStatus),
        db_persist=True,
    )
    # User name for the search, in addition to the staff member's own fields; "" if equal to the value looked up.
    other_user_name = models.GeneratedField(
        expression=Case(
            When(
                condition=Exact(Upper("remote_user_name"), Upper(Coalesce("queried_name", Value("")))),
                then=Value(""),
            ),
            default=Upper("remote_user_name"),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = UserMatchQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "staff"], name="one_match_per_person")]
        indexes = [
            # The dashboard's counts read only this index. It is small, because equal rows share an entry.
            models.Index(fields=["connection", "status", "enabled"], name="match_counts"),
            # The dashboard's filters read only this index.
            models.Index(fields=["connection", "status", "enabled", "staff"], name="match_by_status"),
            # Usually few rows: a search reads all of them.
            models.Index(
                fields=["connection"],
                include=["staff", "other_user_name"],
                condition=~Q(other_user_name=""),
                name="match_with_other_name",
            ),
            models.Index(fields=["connection", "remote_id"], name="match_by_remote_id"),
            models.Index(
                fields=["connection", "host_permission_due_at"],
                condition=Q(host_permission__in=["unknown", "denied", "waiting"], directory="matched"),
                name="match_permission_due",
            ),
        ]

    @property
    def other_name(self) -> str:
        """The user name behind an alias; "" if the field has no alias or the platform didn't return the name."""
        return self.hint if self.reason == MatchReason.ALIAS else ""

    @property
    def needs_permission(self) -> bool:
        """Return whether only host permission is missing."""
        is_denied = self.host_permission in (HostPermission.DENIED, HostPermission.WAITING)
        return self.directory == DirectoryState.MATCHED and (
            self.reason == MatchReason.NO_HOST_PERMISSION or (not self.reason and is_denied)
        )

    @property
    def can_host(self) -> bool:
        """Return whether new video appointments with this person may be booked on this connection."""
        return self.enabled and self.status == MatchStatus.MATCHED


def derived_status(match: UserMatch) -> MatchStatus:
    """Return the value that `UserMatch.status` would get if the row were stored."""
    if match.directory != DirectoryState.MATCHED:
        return MatchStatus.CHECKING if match.directory == DirectoryState.UNKNOWN else MatchStatus.UNMATCHED
    is_forbidden = match.host_permission in (HostPermission.DENIED, HostPermission.WAITING)
    if match.reason in MatchReason.forbidding() or is_forbidden:
        return MatchStatus.FORBIDDEN
    return MatchStatus.CHECKING if match.host_permission == HostPermission.UNKNOWN else MatchStatus.MATCHED

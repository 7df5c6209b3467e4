"""Connections to video platforms, their audit trail and their checks."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from integrations.messages import MessageField
from integrations.platforms.failures import ErrorKind
from staff.models import LockQuerySet, Organization, StaffMember


class ConnectionStatus(models.TextChoices):
    """Status of the sign-in. Outages and pauses don't change it."""

    CONNECTED = "connected", _("Connected")
    NEEDS_REAUTHORIZATION = "needs_reauthorization", _("Needs reauthorization")
    DISCONNECTED = "disconnected", _("Disconnected")


class MatchField(models.TextChoices):
    """The staff field that holds the platform's user name."""

    EMAIL = "email", _("Email")
    USERNAME = "username", _("Username")


def able_to_work(prefix: str = "") -> Q:
    """Return the condition of `ConnectionQuerySet.able_to_work`.

    `prefix` leads to the connection in queries of other models, such as "connection__".
    """
    return Q(**{f"{prefix}status": ConnectionStatus.CONNECTED}) & unpaused(prefix)


def unpaused(prefix: str = "") -> Q:
    """Return the condition of `ConnectionQuerySet.unpaused`. `prefix` is that of `able_to_work`."""
    is_unpaused = Q(**{f"{prefix}paused_until__isnull": True}) | Q(**{f"{prefix}paused_until__lte": Now()})
    may_probe = Q(**{f"{prefix}probe_at__isnull": True}) | Q(**{f"{prefix}probe_at__lte": Now()})
    return is_unpaused & may_probe


class ConnectionQuerySet(LockQuerySet["Connection"]):
    def live(self) -> Self:
        """Return the connections that aren't disconnected, healthy or not."""
        return self.exclude(status=ConnectionStatus.DISCONNECTED)

    def able_to_work(self) -> Self:
        """Return the connections whose platform may be called now: healthy, not paused and not known to be down.

        If `probe_at` is set, one caller at a time may call: see `integrations.circuit_breaker`.
        """
        return self.filter(able_to_work())

    def unpaused(self) -> Self:
        """Return the connections that aren't paused or known to be down, healthy or not."""
        return self.filter(unpaused())

    def with_platforms(self) -> Self:
        """Load the organisation and each platform's own one-to-one row with the connections."""
        rows = [each.name for each in self.model._meta.related_objects if each.one_to_one]
        return self.select_related("organization", *rows)


class Connection(models.Model):
    """An organisation's connection to one video platform. The platform keeps its own data in a one-to-one row."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="connections")
    platform = models.CharField(max_length=20)
    name = models.CharField(_("name"), max_length=200)
    match_field = models.CharField(max_length=10, choices=MatchField, default=MatchField.EMAIL)
    status = models.CharField(max_length=25, choices=ConnectionStatus, default=ConnectionStatus.CONNECTED)
    status_reason = MessageField()
    is_default = models.BooleanField(default=False)
    # End of the pause that the platform requested (429); all workers wait for it.
    paused_until = models.DateTimeField(null=True, blank=True)
    # Circuit breaker (`integrations.circuit_breaker`): callers without an answer since the last success, time of the
    # next probe while the circuit is open, and the caller that probes now.
    consecutive_failures = ArrayField(models.CharField(max_length=50), default=list, db_default=[], blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    probe_owner = models.CharField(max_length=50, blank=True, db_default="")
    connected_by = models.ForeignKey(
        StaffMember, models.SET_NULL, related_name="connections_made", null=True, blank=True
    )
    connected_at = models.DateTimeField()
    last_success_at = models.DateTimeField(null=True, blank=True)
    # Trouble since the last success that isn't about the sign-in: an outage, or our own credentials refused. It needs
    # no admin, so the connection stays connected and its pages show the trouble.
    trouble_kind = models.CharField(max_length=12, choices=ErrorKind, blank=True, db_default="")
    trouble = MessageField()
    trouble_since = models.DateTimeField(null=True, blank=True)
    # Lookups of new and changed staff that failed in a row, and the end of the pause after the last one.
    lookup_failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    lookup_due_at = models.DateTimeField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint("organization", condition=Q(is_default=True), name="one_default_per_organization"),
            models.CheckConstraint(
                condition=Q(is_default=False) | ~Q(status=ConnectionStatus.DISCONNECTED),
                name="default_is_not_disconnected",
            ),
            models.UniqueConstraint("organization", Lower("name"), name="connection_name_once_per_organization"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.status != ConnectionStatus.DISCONNECTED

    @property
    def is_healthy(self) -> bool:
        return self.status == ConnectionStatus.CONNECTED


class EventKind(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    REAUTHORIZED = "reauthorized", _("Reauthorized")
    DISCONNECTED = "disconnected", _("Disconnected")
    MADE_DEFAULT = "made_default", _("Made default")
    MOVED_TO_DEFAULT = "moved_to_default", _("Settings changed")
    RENAMED = "renamed", _("Settings changed")
    TURNED_ON = "turned_on", _("Video Calls turned on")
    TURNED_OFF = "turned_off", _("Video Calls turned off")
    REMATCHED = "rematched", _("Rematched")
    REMATCH_FAILED = "rematch_failed", _("Rematch failed")
    FIELD_CHANGED = "field_changed", _("Matched field changed")
    USER_NAME_ADOPTED = "user_name_adopted", _("User name taken over")
    USER_RECREATED = "user_recreated", _("New account on the platform")
    PERMISSION_REPORTED = "permission_reported", _("Host permission reported as granted")
    SETTINGS_CHANGED = "settings_changed", _("Settings changed")
    CHECKED = "checked", _("Connection checked")
    RECONCILED = "reconciled", _("Meetings compared")
    LINKS_RETRIED = "links_retried", _("Noted")
    DRIFT_FOUND = "drift_found", _("Noted")
    CAPACITY_REACHED = "capacity_reached", _("Noted")
    NOTED = "noted", _("Noted")
    TOKEN_REFUSED = "token_refused", _("Sign-in refused by the platform")


class ConnectionEvent(models.Model):
    """Entry of a connection's audit trail, as facts. Append-only.

    `integrations.events` records entries; `integrations.event_text` renders `kind` and `params` for a reader.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(StaffMember, models.RESTRICT, related_name="+", null=True, blank=True)
    kind = models.CharField(max_length=20, choices=EventKind)
    params = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[Any]] = ["-at", "-pk"]
        indexes = [models.Index(fields=["connection", "-at", "-id"], name="event_by_connection")]


class ConnectionCheck(models.Model):
    """Run of Check connection. `steps` are finished `CheckStep`s as dicts."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="checks")
    requested_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)
    requested_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    steps = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[Any]] = ["-pk"]

"""Microsoft's side of a connection, requests to connect a tenant, and warnings about expiring credentials."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coconut.leases import NO_LEASE, LeasedModel, LeaseQuerySet
from integrations.encryption import EncryptedJSONField
from integrations.messages import MessageField
from integrations.models import Connection, MatchField
from staff.models import Organization, StaffMember


class Method(models.TextChoices):
    """Method by which Coconut may create meetings."""

    SERVICE_ACCOUNT = "service_account", _("Service Account")
    ACCESS_POLICY = "access_policy", _("Application Access Policy")


class LobbyPolicy(models.TextChoices):
    """Lobby setting of new meetings."""

    CLIENTS_WAIT = "clients_wait", _("Clients wait, staff admit")
    NOBODY_WAITS = "nobody_waits", _("Nobody waits")


class TeamsConnectionQuerySet(LeaseQuerySet["TeamsConnection"]):
    """Lease operations, and the replacement of tokens."""

    def replace_tokens(self, **fields: Any) -> int:
        """Write `fields` as a new sign-in and end the lease. A refresh in flight then writes nothing."""
        return self.update(token_version=F("token_version") + 1, **NO_LEASE, **fields)


class TeamsConnection(LeasedModel):
    """Microsoft's side of a connection: method, tenant, account and tokens.

    `tokens` and "needs reauthorization" are written only `WHERE token_version = the one read`. A slow refresh therefore
    can't undo Reauthorize or Disconnect. The lease belongs to the process that refreshes the tokens.
    """

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="teams")
    # Copied from the connection, so that a constraint can refuse the same account twice.
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    method = models.CharField(max_length=20, choices=Method, default=Method.SERVICE_ACCOUNT)
    tenant_id = models.UUIDField()
    tenant_name = models.CharField(max_length=200, blank=True)
    # The service account, or the administrator who consented. Only `oid` is immutable.
    account_oid = models.CharField(max_length=100)
    account_upn = models.CharField(max_length=320)
    account_name = models.CharField(max_length=300, blank=True)
    # Scopes (service account) or roles (access policy) that Microsoft granted.
    granted = models.JSONField(default=list)
    # {"access_token": …, "expires_at": unix seconds, "refresh_token": …}; empty after a disconnect.
    tokens = EncryptedJSONField(default=dict)
    token_version = models.PositiveIntegerField(default=1)
    # Last time that Microsoft issued a token. A refresh token expires after 90 days without use.
    refreshed_at = models.DateTimeField(db_default=Now())
    # Last sign-in or consent: connected, connected again, or reauthorized.
    consented_at = models.DateTimeField(db_default=Now())
    lobby_policy = models.CharField(max_length=15, choices=LobbyPolicy, default=LobbyPolicy.CLIENTS_WAIT)

    objects = TeamsConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "method", "tenant_id", "account_oid"],
                name="account_connected_once_per_organization",
            ),
            # Any administrator of the tenant may consent, so the account doesn't identify the connection.
            models.UniqueConstraint(
                fields=["organization", "tenant_id"],
                condition=Q(method="access_policy"),
                name="policy_tenant_connected_once_per_organization",
            ),
        ]

    def has(self, permission: str) -> bool:
        """Return whether Microsoft granted a scope or role, such as `User.Read.All`."""
        return permission in self.granted


class RequestState(models.TextChoices):
    WAITING = "waiting", _("Waiting for confirmation")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Declined")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")


#: Time that operators have to confirm a request.
REQUEST_LIFETIME: Final = timedelta(days=7)


class ConnectionRequestQuerySet(models.QuerySet["ConnectionRequest"]):
    def waiting(self) -> Self:
        """Return the requests that an operator can still confirm."""
        return self.filter(state=RequestState.WAITING, requested_at__gt=Now() - REQUEST_LIFETIME)

    def overdue(self) -> Self:
        """Return the requests that waited too long and aren't marked as expired yet."""
        return self.filter(state=RequestState.WAITING, requested_at__lte=Now() - REQUEST_LIFETIME)

    def end(self, state: RequestState, decided_by: StaffMember | None = None) -> int:
        """Write the final state of the requests, and return their number."""
        return self.update(state=state, decided_by=decided_by, decided_at=Now())


class ConnectionRequest(models.Model):
    """Request to connect a tenant whose administrator Microsoft didn't name as one. An operator confirms it.

    It holds no tokens. Its facts never change: another account or UPN field makes another request.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", verbose_name=_("organisation"))
    tenant_id = models.UUIDField(_("Microsoft Tenant ID"))
    # The domain that the admin typed, if any.
    tenant_name = models.CharField(_("typed domain"), max_length=200, blank=True)
    account_oid = models.CharField(_("object id of the account"), max_length=100)
    account_upn = models.CharField(_("Microsoft account"), max_length=320)
    account_name = models.CharField(_("name of the account"), max_length=300, blank=True)
    match_field = models.CharField(_("UPN field"), max_length=10, choices=MatchField)
    requested_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+", verbose_name=_("requested by"))
    requested_at = models.DateTimeField(_("requested"), db_default=Now())
    state = models.CharField(_("state"), max_length=10, choices=RequestState, default=RequestState.WAITING)
    decided_by = models.ForeignKey(
        StaffMember, models.PROTECT, related_name="+", verbose_name=_("decided by"), null=True, blank=True
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Why the last confirmation made no connection.
    failure = MessageField(verbose_name=_("last failure"))

    objects = ConnectionRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection request")
        verbose_name_plural = _("connection requests")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "tenant_id"],
                condition=Q(state=RequestState.WAITING),
                name="one_waiting_request_per_tenant",
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.WAITING, decided_at__isnull=True)
                | ~Q(state=RequestState.WAITING) & Q(decided_at__isnull=False),
                name="ended_request_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.tenant_name or self.tenant_id}"

    @property
    def is_waiting(self) -> bool:
        return self.state == RequestState.WAITING and timezone.now() < self.expires_at

    @property
    def expires_at(self) -> datetime:
        return self.requested_at + REQUEST_LIFETIME


class ExpiryWarning(models.Model):
    """A warning to operators about an expiring credential.

    A row, because it must outlive restarts and several workers must agree on it.
    """

    credential = models.CharField(max_length=20)
    ends = models.DateTimeField()
    # At most this many days were left: 30, 14, 7, 1, or -1 after the end.
    threshold = models.SmallIntegerField()
    notified_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credential", "ends", "threshold"], name="expiry_notified_once_per_threshold"
            )
        ]

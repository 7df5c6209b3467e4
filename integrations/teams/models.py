"""Microsoft's side of a connection, and warnings about expiring credentials."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coconut.leases import NO_LEASE, LeasedModel, LeaseQuerySet
from integrations.encryption import EncryptedJSONField
from integrations.models import Connection
from staff.models import Organization


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

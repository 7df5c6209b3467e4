"""What only Microsoft Teams knows about a connection."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.encryption import EncryptedJSONField
from integrations.leases import LeasedModel, LeaseQuerySet
from integrations.models import Connection
from staff.models import Organization


class Method(models.TextChoices):
    SERVICE_ACCOUNT = "service_account", _("Service Account")
    ACCESS_POLICY = "access_policy", _("Application Access Policy")


class LobbyPolicy(models.TextChoices):
    """Who waits in the lobby of new meetings."""

    CLIENTS_WAIT = "clients_wait", _("Clients wait, staff admit")
    NOBODY_WAITS = "nobody_waits", _("Nobody waits")


class TeamsConnection(LeasedModel):
    """The Microsoft side of a connection: method, tenant, account and tokens.

    `tokens` and "needs reauthorization" are written only `WHERE token_version = the one read`, so that a slow refresh
    undoes neither Reauthorize nor Disconnect.
    """

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="teams")
    # The connection's own, repeated so that the database can refuse the same account twice.
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    method = models.CharField(max_length=20, choices=Method, default=Method.SERVICE_ACCOUNT)
    tenant_id = models.UUIDField()
    tenant_name = models.CharField(max_length=200, blank=True)
    # The service account, or the administrator who consented. `oid` is immutable; the rest is for display.
    account_oid = models.CharField(max_length=100)
    account_upn = models.CharField(max_length=320)
    account_name = models.CharField(max_length=300, blank=True)
    # Scopes (service account) or roles (access policy) that Microsoft granted.
    granted = models.JSONField(default=list)
    # {"access_token": …, "expires_at": unix seconds, "refresh_token": …}; empty after a disconnect.
    tokens = EncryptedJSONField(default=dict)
    token_version = models.PositiveIntegerField(default=1)
    # When Microsoft last gave a token; a refresh token that rests for 90 days dies.
    refreshed_at = models.DateTimeField(db_default=Now())
    # When somebody last signed in or consented at Microsoft: connected, connected again, or reauthorized.
    consented_at = models.DateTimeField(db_default=Now())
    lobby_policy = models.CharField(max_length=15, choices=LobbyPolicy, default=LobbyPolicy.CLIENTS_WAIT)

    objects = LeaseQuerySet["TeamsConnection"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "method", "tenant_id", "account_oid"],
                name="account_connected_once_per_organization",
            ),
            # Any administrator of the tenant may consent, so the account says nothing here.
            models.UniqueConstraint(
                fields=["organization", "tenant_id"],
                condition=Q(method="access_policy"),
                name="policy_tenant_connected_once_per_organization",
            ),
        ]

    def has(self, permission: str) -> bool:
        """Whether Microsoft granted a scope or role, such as `User.Read.All`."""
        return permission in self.granted


class ExpiryWarning(models.Model):
    """A mail to the operators about the end of the client secret or the certificate; one row, one mail.

    A row and not a line in a cache: it must outlive restarts, and several beats and workers must agree on it.
    """

    what = models.CharField(max_length=20)
    ends = models.DateTimeField()
    # How many days were left at most: 30, 14, 7, 1, or -1 once it is over.
    threshold = models.SmallIntegerField()
    notified_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["what", "ends", "threshold"], name="expiry_is_told_once_a_threshold"
            )
        ]

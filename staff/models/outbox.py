"""Emails that wait to be sent, and their outcome."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coconut.email_addresses import EmailAddressField
from coconut.leases import LeasedModel, LeaseQuerySet
from staff.models.organizations import Organization


class EmailState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Bounce(models.TextChoices):
    """Reports of an email provider about an email that it had accepted."""

    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Marked as spam")


class OutboxEmailQuerySet(LeaseQuerySet["OutboxEmail"]):
    """Emails by their state."""

    def waiting(self) -> Self:
        """Return the emails that were not sent yet or are to be retried."""
        return self.filter(state=EmailState.WAITING)

    def stuck(self) -> Self:
        """Return the emails that failed or may not have been sent."""
        return self.filter(Q(state=EmailState.FAILED) | Q(state=EmailState.SENDING, lease_until__lt=Now()))


class OutboxEmail(LeasedModel):
    """An email that is sent at most once: see `staff.outbox`. `params` are what its kind needs to render it."""

    kind = models.CharField(_("kind"), max_length=50)
    to = ArrayField(EmailAddressField(), verbose_name=_("to"))
    params = models.JSONField(default=dict)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("organisation")
    )
    # "" is the organisation's language.
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=EmailState, default=EmailState.WAITING)
    error = models.CharField(_("error"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    bounce = models.CharField(_("bounce"), max_length=10, choices=Bounce, blank=True, default="", db_default="")
    bounced_at = models.DateTimeField(_("bounced"), null=True, blank=True)

    objects = OutboxEmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="outbox_email_waiting"),
            models.Index(fields=["sent_at"], condition=Q(state="sent"), name="outbox_email_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {', '.join(self.to)}"

    @property
    def is_uncertain(self) -> bool:
        """Return whether a worker began to send the email and recorded no outcome: it may not have been sent."""
        if self.state != EmailState.SENDING or self.lease_until is None:
            return False
        return self.lease_until < timezone.now()

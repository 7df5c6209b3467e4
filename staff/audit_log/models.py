"""Rows of the audit log."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from staff.models import Organization, StaffMember


class AuditEvent(models.Model):
    """Something that a person did to accounts, access or settings. Append-only.

    `staff.audit_log.record` writes events; `staff.audit_log.text` renders them for a reader.
    """

    # Null for what belongs to no organisation: an operator's sign-in, or one with an unknown email.
    organization = models.ForeignKey(
        Organization,
        models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("organisation"),
    )
    at = models.DateTimeField(_("time"), db_default=Now())
    # Null if the person wasn't signed in, or if Coconut acted automatically.
    actor = models.ForeignKey(
        StaffMember, models.RESTRICT, related_name="+", null=True, blank=True, db_index=False, verbose_name=_("actor")
    )
    # Client address as of `coconut.rate_limits.client_address`; "" outside a request.
    address = models.CharField(_("address"), max_length=64, blank=True)
    # Name of an `AuditKind`.
    kind = models.CharField(_("kind"), max_length=40)
    # Label of the model, such as "staff.staffmember", and primary key.
    subject_model = models.CharField(_("subject"), max_length=60, blank=True)
    subject_id = models.BigIntegerField(_("subject id"), null=True, blank=True)
    # Name at the time of the event. Never that of a client.
    subject_name = models.CharField(_("subject name"), max_length=310, blank=True)
    params = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["organization", "kind", "-at", "-id"], name="audit_by_kind"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["subject_model", "subject_id", "-at", "-id"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject_name or self.subject_id or '–'}"

"""Automatic rematches: of new staff, after a change of email or username, and after an assignment to a service.

The receivers only save time. Bulk writes send no signals, and the periodic sweep finds these changes as well.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models.signals import m2m_changed, post_save
from django.dispatch import receiver

from integrations.matching.people import request_rematch, request_sweep
from services.models import ServiceAssignment
from staff.models import StaffMember

_USER_NAME_FIELDS = frozenset({"email", "username"})


@receiver(post_save, sender=StaffMember)
def rematch_new_or_renamed_staff(
    instance: StaffMember, created: bool, update_fields: Collection[str] | None, **kwargs: Any
) -> None:
    """Request a sweep, unless the save names its fields and no user name is among them."""
    may_be_due = created or update_fields is None or not _USER_NAME_FIELDS.isdisjoint(update_fields)
    if may_be_due and instance.is_active and instance.organization_id is not None:
        request_sweep(instance.organization_id)


@receiver(post_save, sender=ServiceAssignment)
def rematch_assigned_staff(instance: ServiceAssignment, created: bool, **kwargs: Any) -> None:
    """Request a rematch of the assigned staff member."""
    if created:
        request_rematch([instance.staff_id])


@receiver(m2m_changed, sender=ServiceAssignment)
def rematch_staff_added_in_bulk(
    instance: Any, action: str, reverse: bool, pk_set: Collection[int] | None, **kwargs: Any
) -> None:
    """Request the same after `service.staff.add(…)` and `member.services.set(…)`, which send no `post_save`."""
    if action == "post_add" and pk_set:
        request_rematch([instance.pk] if reverse else pk_set)

"""The automatic rematches: a new staff member, another email or username, an assignment to a service.

Only the fast path: bulk writes send no signals, which is why `matching.rematch_changed_staff` looks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models.signals import m2m_changed, post_init, post_save
from django.dispatch import receiver

from integrations.matching.people import request_rematch
from services.models import ServiceAssignment
from staff.models import StaffMember

_SEEN = "_user_names_seen"


def _user_names(member: StaffMember) -> tuple[Any, Any]:
    """Read without a query: a deferred field counts as unknown."""
    return member.__dict__.get("email"), member.__dict__.get("username")


@receiver(post_init, sender=StaffMember)
def remember_user_names(instance: StaffMember, **kwargs: Any) -> None:
    """What a later save is compared with, so that an ordinary save costs no query."""
    instance.__dict__[_SEEN] = _user_names(instance)


@receiver(post_save, sender=StaffMember)
def rematch_new_or_renamed_staff(instance: StaffMember, created: bool, **kwargs: Any) -> None:
    """Look somebody up who is new, or whose email or username was updated."""
    now, seen = _user_names(instance), instance.__dict__.get(_SEEN)
    instance.__dict__[_SEEN] = now
    if (created or now != seen) and instance.is_active and instance.organization_id is not None:
        request_rematch([instance.pk])


@receiver(post_save, sender=ServiceAssignment)
def rematch_assigned_staff(instance: ServiceAssignment, created: bool, **kwargs: Any) -> None:
    """Look somebody up who was assigned to a service."""
    if created:
        request_rematch([instance.staff_id])


@receiver(m2m_changed, sender=ServiceAssignment)
def rematch_staff_added_in_bulk(
    instance: Any, action: str, reverse: bool, pk_set: Iterable[int] | None, **kwargs: Any
) -> None:
    """The same for `service.staff.add(…)` and `member.services.set(…)`, which send no `post_save`."""
    if action == "post_add" and pk_set:
        request_rematch([instance.pk] if reverse else pk_set)

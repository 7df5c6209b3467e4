"""End the private calendar address of a person who is switched off."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from appointments.calendar_feed.addresses import end_address
from staff.models import StaffMember


@receiver(post_save, sender=StaffMember, dispatch_uid="end_calendar_address")
def end_address_of_inactive(sender: type[StaffMember], instance: StaffMember, **kwargs: Any) -> None:
    """End the address for good: it must not work again if the person is switched on later."""
    if not instance.is_active:
        end_address(instance)

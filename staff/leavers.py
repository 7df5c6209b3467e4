"""End the access of people whose last working day is over."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from coconut.isolation import isolated
from staff.models import StaffMember
from staff.people import LastAdmin, save_person

logger = logging.getLogger(__name__)


def switch_off_leavers() -> int:
    """Switch off each active person whose last working day is over in their zone, and return their number.

    The last admin stays active, because the organisation would have none.
    """
    # A day begins in the first zone up to 14 hours before UTC.
    latest = (timezone.now() + timedelta(hours=14)).date()
    leaving = StaffMember.objects.active().filter(last_day__lt=latest).select_related("organization", "location")
    left = 0
    for person in leaving.order_by("pk"):
        if person.has_left_at(timezone.now()):
            with isolated(f"Ending the access of staff member {person.pk}"):
                left += _switch_off(person)
    return left


def _switch_off(person: StaffMember) -> bool:
    person.is_active = False
    try:
        save_person(person, ["is_active"])
    except LastAdmin:
        logger.warning("Staff member %s is the last admin and stays active after their last day.", person.pk)
        return False
    return True

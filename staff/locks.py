"""Row locks of staff members for changes of when they can be booked."""

from __future__ import annotations

from django.db.models import QuerySet

from staff.models import StaffMember


def lock_staff(people: QuerySet[StaffMember]) -> None:
    """Lock the rows until the transaction ends, in the order in which bookings lock them."""
    locked = people.order_by("pk").select_for_update(no_key=True, of=("self",))
    for _pk in locked.values_list("pk", flat=True).iterator():
        pass

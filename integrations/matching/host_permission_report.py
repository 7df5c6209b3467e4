"""Missing host permissions on the pages: the scripts that grant them, and the admin's report that it ran."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from coconut.task_queue import enqueue_on_commit
from integrations.events import record_event
from integrations.matching.host_permission_schedule import PROBE_TASK
from integrations.models import Connection, EventKind, HostPermission, UserMatch
from integrations.platforms.registry import platform_of
from integrations.platforms.values import Script
from staff.models import StaffMember


def grant_scripts(connection: Connection) -> Sequence[Script]:
    """Return the scripts that an administrator of the platform runs for all staff who lack the permission."""
    matches = UserMatch.objects.needing_permission(connection).order_by("remote_id")
    return platform_of(connection).grant_scripts(connection, list(matches.values_list("remote_id", flat=True)))


@transaction.atomic
def report_permission(connection: Connection, people: QuerySet[StaffMember], actor: StaffMember | None) -> int:
    """Record an admin's report that `people` have the permission, and probe until it has spread.

    Returns the number of people who lacked the permission.
    """
    lacking = UserMatch.objects.needing_permission(connection).filter(staff__in=people.values("pk"))
    locked = lacking.select_for_update(of=("self",), no_key=True).order_by("staff_id")
    matches = UserMatch.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
    count = matches.update(
        host_permission=HostPermission.WAITING, host_permission_attempts=0, host_permission_due_at=Now()
    )
    first = matches.select_related("staff").first()
    if first is not None:
        person = first.staff.name if count == 1 else ""
        record_event(connection, EventKind.PERMISSION_REPORTED, actor, count=count, person=person)
        enqueue_on_commit(PROBE_TASK, connection.pk)
    return count

"""Start bulk changes, and read how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Count, QuerySet

from appointments.audit import record_bulk_change
from appointments.bulk_change_models import BulkAction, BulkChange, BulkChangeItem, ItemOutcome
from appointments.models import AppointmentQuerySet
from coconut.task_queue import enqueue_on_commit
from staff.models import Organization, StaffMember

WORK_TASK: Final = "appointments.work_on_bulk_change"
#: Appointments whose outcome the progress page lists.
SHOWN: Final = 100
_ITEMS_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class Progress:
    """Numbers of appointments, and the first of those that stayed as they were."""

    total: int
    waiting: int
    done: int
    kept: list[BulkChangeItem]
    kept_total: int

    @property
    def handled(self) -> int:
        return self.total - self.waiting


@transaction.atomic
def start_bulk_change(
    organization: Organization,
    appointments: AppointmentQuerySet,
    action: BulkAction,
    *,
    started_by: StaffMember,
    reason: str = "",
) -> BulkChange:
    """Start the action on these appointments of the organisation. A worker makes the changes.

    Appointments that wait in another bulk change are left out.
    """
    change = BulkChange.objects.create(organization=organization, action=action, reason=reason, started_by=started_by)
    selected = appointments.values_list("pk", "version").order_by("starts_at", "pk")
    items = [BulkChangeItem(bulk_change=change, appointment_id=pk, version=version) for pk, version in selected]
    BulkChangeItem.objects.bulk_create(items, batch_size=_ITEMS_AT_ONCE, ignore_conflicts=True)
    record_bulk_change(change, change.items.count())
    enqueue_on_commit(WORK_TASK, change.pk)
    return change


def progress_of(change: BulkChange) -> Progress:
    """Return how far the bulk change is. Two queries."""
    counts: dict[str, int] = dict(
        change.items.order_by().values_list("outcome").annotate(Count("pk")).values_list("outcome", "pk__count")
    )
    waiting, done = counts.pop(ItemOutcome.WAITING, 0), counts.pop(ItemOutcome.DONE, 0)
    kept = list(_kept_items(change)[:SHOWN])
    kept_total = sum(counts.values())
    return Progress(waiting + done + kept_total, waiting, done, kept, kept_total)


def _kept_items(change: BulkChange) -> QuerySet[BulkChangeItem]:
    kept = change.items.exclude(outcome__in=[ItemOutcome.WAITING, ItemOutcome.DONE])
    related = kept.select_related("appointment__client", "appointment__service", "appointment__staff")
    return related.order_by("appointment__starts_at", "pk")

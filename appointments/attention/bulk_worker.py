"""Work on bulk changes: one appointment after the other, each in a transaction with its outcome.

A worker may be killed at any time. The next one continues with the items that still wait.
"""

from __future__ import annotations

from time import monotonic
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Now

from appointments.attention.bulk_actions import change_item
from appointments.attention.bulk_changes import WORK_TASK
from appointments.attention.colleagues import Colleagues
from appointments.bulk_change_models import BulkChange, BulkChangeItem, ItemOutcome
from appointments.notifications.outbox import one_email_per_staff_member
from coconut.isolation import isolated
from coconut.leases import LEASE_DURATION
from coconut.task_queue import send
from integrations.meetings.signals import batch_enqueue

#: Seconds after which a task starts no other item. Shorter than its time limit and its lease.
SHIFT_SECONDS: Final = 30
_ITEMS_AT_ONCE: Final = 100


def resume_bulk_changes() -> int:
    """Enqueue the unfinished bulk changes that no worker holds, and return their number."""
    waiting = list(BulkChange.objects.filter(finished_at=None).unleased().values_list("pk", flat=True))
    for pk in waiting:
        send(WORK_TASK, pk)
    return len(waiting)


def work_on_bulk_change(pk: int) -> None:
    """Change the waiting items of a bulk change until the end of the shift, then hand over to another task."""
    token = uuid4()
    unfinished = BulkChange.objects.filter(pk=pk, finished_at=None)
    if not unfinished.acquire_lease(token, LEASE_DURATION):
        return
    change = BulkChange.objects.select_related("organization", "started_by__organization").get(pk=pk)
    if _change_items(change):
        # The reason may quote a client. Each appointment keeps its own, which an erasure blanks.
        BulkChange.objects.filter(pk=pk).release_lease(token, finished_at=Now(), reason="")
    elif BulkChange.objects.filter(pk=pk).release_lease(token):
        send(WORK_TASK, pk)


def _change_items(change: BulkChange) -> bool:
    """Change the waiting items in the order of their appointments. Return False at the end of the shift."""
    until, colleagues = monotonic() + SHIFT_SECONDS, Colleagues()
    waiting = change.items.filter(outcome=ItemOutcome.WAITING).order_by("pk").values_list("pk", flat=True)
    with batch_enqueue(), one_email_per_staff_member():
        while items := list(waiting[:_ITEMS_AT_ONCE]):
            for item in items:
                if monotonic() > until:
                    return False
                _change_or_fail(change, item, colleagues)
    return True


def _change_or_fail(change: BulkChange, pk: int, colleagues: Colleagues) -> None:
    is_handled = False
    with isolated(f"Bulk change {change.pk}, item {pk}"):
        with transaction.atomic():
            waiting = BulkChangeItem.objects.select_for_update(of=("self",)).filter(outcome=ItemOutcome.WAITING)
            if item := waiting.filter(pk=pk).first():
                change_item(change, item, colleagues)
        is_handled = True
    if not is_handled:
        BulkChangeItem.objects.filter(pk=pk, outcome=ItemOutcome.WAITING).update(outcome=ItemOutcome.FAILED)

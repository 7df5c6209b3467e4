"""Erase clients some months after their last appointment, as their organisation chose."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Final

from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, Func, OuterRef, QuerySet, Value
from django.utils import timezone

from appointments.audit import RETENTION_CHANGED
from appointments.models import Appointment, Client
from appointments.privacy.erasure import NotErasable, erase_client
from coconut.isolation import isolated
from coconut.leases import only_worker
from staff.audit_log.differences import differences
from staff.audit_log.record import record
from staff.models import Organization

#: Seconds after which a run erases no other client. The task's time limit would kill it in the middle of one.
RUN_SECONDS: Final = 30
#: Clients that one query finds. Each is erased in its own transaction.
BATCH_SIZE: Final = 500


class _Months(Func):
    """A number of calendar months as an interval, which Python doesn't have."""

    template = "MAKE_INTERVAL(months => %(expressions)s)"
    output_field = DurationField()


def expired_clients(organization: Organization, months: int) -> QuerySet[Client]:
    """Return the clients with no appointment in the last `months` months or later, unordered.

    A client without appointments counts from the day they were added.
    """
    since = Value(timezone.now(), output_field=DateTimeField()) - _Months(Value(months))
    recent = Appointment.objects.filter(client=OuterRef("pk"), starts_at__gte=since)
    return organization.clients.filter(~Exists(recent), created_at__lt=since).order_by()


def save_retention(organization: Organization, months: int | None) -> None:
    """Keep clients for this many months after their last appointment, or for good if None."""
    with transaction.atomic():
        before = Organization.objects.lock(organization.pk)
        organization.retention_months = months
        organization.save(update_fields=["retention_months"])
        if changes := differences(before, organization, ["retention_months"]):
            record(RETENTION_CHANGED, organization, name=organization.name, changes=changes)


def erase_expired_clients() -> int:
    """Erase expired clients of all organisations until RUN_SECONDS have passed, and return their number.

    The next run continues.
    """
    erased, until = 0, time.monotonic() + RUN_SECONDS
    # Two workers would find the same clients. Each would be erased once all the same.
    with only_worker("erase-expired-clients") as is_only_worker:
        if is_only_worker:
            for organization in Organization.objects.exclude(retention_months=None).order_by("pk"):
                erased += erase_expired_of(organization, until)
    return erased


def erase_expired_of(organization: Organization, until: float = math.inf) -> int:
    """Erase the organisation's expired clients until `until` on the monotonic clock, and return their number.

    A client that can't be erased doesn't stop the others.
    """
    erased = 0
    for client in _expired_in_batches(organization):
        if time.monotonic() >= until:
            break
        with isolated(f"Erasing client {client.pk}"):
            erased += _erase_expired(client)
    return erased


def _expired_in_batches(organization: Organization) -> Iterator[Client]:
    """Yield each expired client once, also one that then can't be erased."""
    if organization.retention_months is None:
        return
    last, expired = 0, expired_clients(organization, organization.retention_months).order_by("pk")
    while batch := list(expired.filter(pk__gt=last)[:BATCH_SIZE]):
        yield from batch
        last = batch[-1].pk


def _erase_expired(client: Client) -> bool:
    """Return False if the client was erased or booked meanwhile, or an email is still to be sent."""
    try:
        erase_client(client, actor=None)
    except (NotErasable, Client.DoesNotExist):
        return False
    return True

"""Comparing meetings with the platform, and with what they were made for. Nightly, and by command.

The platform counts reading towards its monthly figure, so a meeting is read at most twice without a reason of its own:
when its start is a week away, and when it is a day away. `week_check_at` and `day_check_at` say that a reading
was asked for, and are never emptied. Whatever was made, moved or read since the window opened is not read in it: the
answer to that was as good.

Nothing here calls the platform. A meeting that is to be read becomes due for the comparison that follows an uncertain
write, too, and `integrations.meetings.sync` does the rest: what vanished is made again, what was changed is put back;
leases, pauses and retries are the usual ones. Only meetings of our own rows are ever named to the platform.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Now, Random
from django.dispatch import receiver
from django.utils.translation import gettext as _

from integrations.circuit_breaker import connection_recovered
from integrations.hooks import meeting_owners
from integrations.meetings.findings import record_finding
from integrations.meetings.outcomes import NO_ERROR
from integrations.meetings.reconciliation_report import finish
from integrations.meetings.requests import request_cancel, try_again
from integrations.meetings.signals import announce, schedule_sweep
from integrations.models import (
    Connection,
    ConnectionStatus,
    DesiredState,
    FindingKind,
    Meeting,
    Reconciliation,
)
from integrations.platforms.registry import platform_of

logger = logging.getLogger(__name__)

WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
#: Bookings come first: readings are spread, so that a connection has one in so much time.
PACE: Final = timedelta(seconds=2)
LONGEST_SPREAD: Final = timedelta(hours=3)
#: One night is one reconciliation, however often beat asks in it.
NIGHT: Final = timedelta(hours=6)
#: How many connections begin with one round of beat.
CONNECTIONS_A_ROUND: Final = 30
# A meeting that was written down so recently may belong to something that is being written down.
_YOUNG: Final = timedelta(minutes=10)
_CHUNK: Final = 1000


def reconcile_everything() -> int:
    """Begin with the connections that nothing was begun for tonight; returns how many. Beat calls it several times."""
    tonight = Reconciliation.objects.filter(started_at__gt=Now() - NIGHT).values("connection")
    waiting = healthy().exclude(pk__in=tonight)[:CONNECTIONS_A_ROUND]
    return sum(_reconcile_tonight(each) for each in waiting)


def healthy() -> QuerySet[Connection]:
    """Connections whose platform can be asked. The others are reconciled once they were reauthorized."""
    return Connection.objects.filter(status=ConnectionStatus.CONNECTED).select_related("organization")


def reconcile(connection: Connection) -> Reconciliation:
    """Mend what the rows alone show, and have workers read at once what is to be read."""
    repaired = _mend_rows(connection)
    with transaction.atomic():
        _lock(connection)
        return _begin(connection, repaired, spread=False)


def _reconcile_tonight(connection: Connection) -> bool:
    """The same with the readings spread; False when somebody else has begun."""
    repaired = _mend_rows(connection)
    with transaction.atomic():
        _lock(connection)
        is_new = not connection.reconciliations.filter(started_at__gt=Now() - NIGHT).exists()
        if is_new:
            _begin(connection, repaired, spread=True)
    return is_new


def _lock(connection: Connection) -> None:
    """Two who reconcile at once take turns."""
    Connection.objects.lock(connection.pk)


def _mend_rows(connection: Connection) -> int:
    """What our own rows show, with or without a call. Returns how many did not agree.

    Meetings whose deletion was refused are tried again: whoever saw to the reason need not think of them.
    """
    try_again(
        Meeting.objects.filter(connection=connection, desired_state=DesiredState.ABSENT, ends_at__gt=Now())
    )
    repaired = sum(owner.repair(connection) for owner in meeting_owners)
    return repaired + _let_go_of_nobodys(connection) + resume_left_behind(connection.pk)


def _begin(connection: Connection, repaired: int, *, spread: bool) -> Reconciliation:
    for unfinished in connection.reconciliations.unfinished():
        finish(unfinished)
    begun = Reconciliation.objects.create(connection=connection, repaired=repaired)
    begun.inspected = _have_read(connection, spread=spread)
    begun.save(update_fields=["inspected"])
    begun.refresh_from_db()
    if begun.inspected == 0:
        finish(begun)
    return begun


def to_read_for_week(connection: Connection) -> QuerySet[Meeting]:
    """Meetings that begin within a week but not within a day, and that nobody wrote or read since a week before."""
    return _unread(connection).filter(
        week_check_at__isnull=True,
        starts_at__gt=Now() + DAY,
        starts_at__lte=Now() + WEEK,
        claimed_at__lt=F("starts_at") - WEEK,
    )


def to_read_for_day(connection: Connection) -> QuerySet[Meeting]:
    """Meetings that begin within a day, and that nobody wrote or read since a day before."""
    return _unread(connection).filter(
        starts_at__gt=Now(), starts_at__lte=Now() + DAY, claimed_at__lt=F("starts_at") - DAY
    )


def _unread(connection: Connection) -> QuerySet[Meeting]:
    return Meeting.objects.in_sync().filter(connection=connection, day_check_at__isnull=True)


def _have_read(connection: Connection, *, spread: bool) -> int:
    """Make the meetings due for a comparison; returns how many.

    Each UPDATE looks at the row itself: of two that come at once, the second one finds nothing to do.
    """
    for_week, for_day = to_read_for_week(connection), to_read_for_day(connection)
    period = _spread(for_week.count() + for_day.count()) if spread else timedelta(0)
    return for_day.update(day_check_at=Now(), **_due_within(period)) + for_week.update(
        week_check_at=Now(), **_due_within(period)
    )


def _spread(how_many: int) -> timedelta:
    return min(how_many * PACE, LONGEST_SPREAD)


def _due_within(period: timedelta) -> dict[str, Any]:
    some_time = ExpressionWrapper(Now() + Value(period) * Random(), output_field=DateTimeField())
    return {"due_at": some_time, "recheck_at": Now(), "enqueued_at": None}


@receiver(connection_recovered)
def take_up_what_was_left_behind(connection_id: int, **kwargs: Any) -> None:
    """The platform can be reached again, perhaps after it was disconnected."""
    resume_left_behind(connection_id)


def resume_left_behind(connection_id: int) -> int:
    """Have meetings deleted that were given up when the connection went, unless they are over; returns how many.

    Where the platform's id is not known they are looked for by our key. Of a disconnected connection nothing is done.
    """
    with transaction.atomic():
        rows = Meeting.objects.orphaned().filter(
            connection=connection_id,
            connection__in=Connection.objects.live().values("pk"),
            ends_at__gt=Now(),
        )
        found = list(rows.select_for_update(of=("self",), no_key=True).select_related("connection"))
        Meeting.objects.filter(pk__in=[each.pk for each in found]).update(
            version=F("version") + 1, due_at=Now(), enqueued_at=None, attempts=0, warning="", **NO_ERROR
        )
        for meeting in found:
            announce(meeting.pk)
            words = _("%(platform)s still had this cancelled meeting: it is being deleted.")
            platform = {"platform": platform_of(meeting.connection).label}
            record_finding(meeting, FindingKind.ORPHANED, words % platform)
        if found:
            schedule_sweep()
    return len(found)


def _let_go_of_nobodys(connection: Connection) -> int:
    """Cancel the meetings that belong to nothing any more; returns how many.

    Who asks for meetings lets go of them, so there should be none. Where nobody says what belongs to whom, all stay.
    """
    owners = list(meeting_owners)
    if not owners:
        return 0
    let_go = 0
    for ids in _in_chunks(connection):
        for owner in owners:
            ids -= set(owner.owned(ids))
        let_go += sum(_let_go(meeting_id) for meeting_id in ids)
    return let_go


def _in_chunks(connection: Connection) -> Iterator[set[UUID]]:
    """The meetings that should take place, some at a time."""
    live = Meeting.objects.filter(
        connection=connection,
        desired_state=DesiredState.PRESENT,
        ends_at__gt=Now(),
        created_at__lt=Now() - _YOUNG,
    )
    ids = list(live.values_list("pk", flat=True))
    for first in range(0, len(ids), _CHUNK):
        yield set(ids[first : first + _CHUNK])


@transaction.atomic
def _let_go(meeting_id: UUID) -> bool:
    meeting = (
        Meeting.objects.select_for_update(no_key=True)
        .filter(pk=meeting_id, desired_state=DesiredState.PRESENT)
        .first()
    )
    if meeting is None:
        return False
    logger.warning("Meeting %s belongs to nothing any more and is cancelled.", meeting_id)
    request_cancel(meeting_id)
    record_finding(
        meeting, FindingKind.UNOWNED, _("No appointment has this meeting any more: it is cancelled.")
    )
    return True

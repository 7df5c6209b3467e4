"""Whether the platform lets us host meetings as a person: asked in small portions, again while the answer is no.

Only where that differs from person to person. New people and people who are matched with somebody else now are asked
about once; who is covered stays covered until a meeting is refused. Asking has no effect on the platform.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.circuit_breaker import (
    close_circuit,
    give_back,
    may_call,
    pause,
    record_failure,
    record_success,
)
from integrations.events import note_event
from integrations.matching.host_permission_schedule import PROBE_TASK, looked_once_more, refused
from integrations.models import Connection, DirectoryState, EventKind, HostPermission, Meeting, UserMatch
from integrations.platforms.base import VideoPlatform
from integrations.platforms.registry import platform_of
from integrations.platforms.values import MatchReason, PermissionResult, PermissionState, PlatformError
from integrations.task_queue import enqueue_on_commit, send
from staff.models import StaffMember
from staff.rate_limits import cache_may_be_down

logger = logging.getLogger(__name__)

#: Sent after the platform allowed meetings as users for whom it refused them before:
#: `sender=UserMatch, connection_id=int, remote_ids=frozenset[str]`.
host_permission_granted = Signal()

#: People in one task. Whoever is left is for the next one, so that bookings get their turn in between.
PORTION: Final = 200
#: Who calls the platform, for the circuit.
_CALLER: Final = "host_permission"
_UNSETTLED: Final = [HostPermission.UNKNOWN, HostPermission.DENIED, HostPermission.WAITING]
_UNCOVERED: Final = [HostPermission.DENIED, HostPermission.WAITING]
# A covered person has none of these reasons; the others (a guest, no licence) stand whatever is covered.
_REFUSALS: Final = [MatchReason.NO_HOST_PERMISSION, MatchReason.REFUSED]


# --- Asking -----------------------------------------------------------------------------------------
def sweep_host_permission() -> int:
    """Have workers ask about whoever is due, one task a connection; returns how many. Called every few seconds."""
    connections = list(_due().order_by().values_list("connection", flat=True).distinct())
    for connection_id in connections:
        send(PROBE_TASK, connection_id)
    return len(connections)


def probe_host_permission(connection_id: int) -> None:
    """Ask about one portion of the people of a connection who are due, and have another worker go on.

    One worker at a time, so that the others are free for bookings. That is a courtesy and no lock: two at once would
    ask about different people.
    """
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    with _alone(f"coverage-{connection_id}") as is_alone:
        goes_on = is_alone and _ask_a_portion(connection)
    if goes_on:
        send(PROBE_TASK, connection_id)


@contextmanager
def _alone(key: str) -> Iterator[bool]:
    """Whether nobody else is at it, as far as the cache knows. Without a cache nobody is sent away."""
    is_alone = True
    with cache_may_be_down():
        is_alone = cache.add(key, True, timeout=settings.MEETING_LEASE_SECONDS)
    try:
        yield is_alone
    finally:
        if is_alone:
            with cache_may_be_down():
                cache.delete(key)


def _ask_a_portion(connection: Connection) -> bool:
    """Whether somebody should go on at once: new people are waiting, or a permission is spreading.

    Ends early where somebody who has just booked waits for a worker.
    """
    platform, asked, is_spreading = platform_of(connection), 0, False
    work_until = monotonic() + settings.MEETING_TASK_TIME_LIMIT / 2
    while asked < PORTION and monotonic() < work_until and _may_ask(connection):
        remote_ids = _claim(connection, platform.probe_size)
        answers = _ask(connection, platform, remote_ids) if remote_ids else None
        if answers is None:
            give_back(connection.pk, _CALLER)
            return False
        asked += len(remote_ids)
        is_spreading |= write_host_permission(connection, answers)
        if Meeting.objects.unclaimed().exists():
            return True
    return (
        is_spreading or _due().filter(connection=connection, host_permission=HostPermission.UNKNOWN).exists()
    )


def _may_ask(connection: Connection) -> bool:
    """Whether there is somebody to ask about, and the platform may be called for that."""
    return _due().filter(connection=connection).exists() and may_call(connection.pk, _CALLER)


def _ask(
    connection: Connection, platform: VideoPlatform, remote_ids: list[str]
) -> Mapping[str, PermissionResult] | None:
    """The platform's answers; None where it gave none. They are due again when their claim is over."""
    try:
        answers = platform.probe_host_permission(connection, remote_ids)
    except PlatformError as error:
        logger.warning(
            "Coverage on connection %s: %s (request %s)",
            connection.pk,
            error,
            error.request_id,
            extra={"organization_id": connection.organization_id, "platform_request_id": error.request_id},
        )
        record_failure(connection.pk, error, _CALLER)
        return None
    # Before the answers are written: the connection is locked before people's rows, never after.
    if told := max((answer.pause for answer in answers.values()), default=0.0):
        close_circuit(connection.pk)
        pause(connection.pk, told)
    elif any(answer.state != PermissionState.UNCLEAR for answer in answers.values()):
        record_success(connection.pk)
    else:
        # Errors about each of them say nothing about whether the platform works: somebody else may find out.
        give_back(connection.pk, _CALLER)
    return answers


def _due() -> QuerySet[UserMatch]:
    """Whom the platform should be asked about now, where it may be asked."""
    return _unsettled().filter(connection__in=Connection.objects.able_to_work().values("pk"))


def _unsettled() -> QuerySet[UserMatch]:
    return UserMatch.objects.filter(
        directory=DirectoryState.MATCHED,
        host_permission__in=_UNSETTLED,
        reason__in=["", *_REFUSALS],
        host_permission_due_at__lte=Now(),
        staff__is_active=True,
    )


@transaction.atomic
def _claim(connection: Connection, how_many: int) -> list[str]:
    """Remote users to ask about, the unknown ones first; nobody else asks about them for a while."""
    order = Case(
        When(host_permission=HostPermission.UNKNOWN, then=Value(0)),
        When(host_permission=HostPermission.WAITING, then=Value(1)),
        default=Value(2),
    )
    rows = _unsettled().filter(connection=connection).order_by(order, "host_permission_due_at", "pk")
    locked = rows.select_for_update(skip_locked=True, of=("self",), no_key=True)
    found = dict(locked.values_list("pk", "remote_id")[:how_many])
    lease = timedelta(seconds=settings.MEETING_LEASE_SECONDS)
    UserMatch.objects.filter(pk__in=found).update(host_permission_due_at=Now() + lease)
    return list(dict.fromkeys(found.values()))


# --- Writing ----------------------------------------------------------------------------------------
@transaction.atomic
def write_host_permission(connection: Connection, answers: Mapping[str, PermissionResult]) -> bool:
    """Store what the platform answered (remote id -> answer); whether anybody who was refused is covered now.

    About everybody who leads to that remote user still, so that one question serves two staff who share it.
    """
    rows = UserMatch.objects.filter(
        connection=connection, directory=DirectoryState.MATCHED, remote_id__in=answers
    ).exclude(host_permission=HostPermission.NOT_NEEDED)
    # In the order in which answers of the directory are written.
    list(rows.select_for_update(no_key=True).order_by("staff_id").values_list("pk"))
    flipped = _write_covered(_of(rows, answers, PermissionState.GRANTED))
    _of(rows, answers, PermissionState.DENIED).update(**refused())
    _of(rows, answers, PermissionState.UNCLEAR).update(**looked_once_more())
    _write_gone(_of(rows, answers, PermissionState.GONE))
    # Who got no answer is asked about first when the pause is over.
    rows.filter(remote_id__in=[key for key, answer in answers.items() if answer.pause]).update(
        host_permission_due_at=Now()
    )
    if flipped:
        _go_on_with(connection, flipped)
    return bool(flipped)


def _of(
    rows: QuerySet[UserMatch], answers: Mapping[str, PermissionResult], state: PermissionState
) -> QuerySet[UserMatch]:
    meant = [remote_id for remote_id, answer in answers.items() if answer.state == state and not answer.pause]
    return rows.filter(remote_id__in=meant)


def _write_covered(rows: QuerySet[UserMatch]) -> set[str]:
    """Returns the remote users who were refused before."""
    flipped = rows.filter(Q(host_permission__in=_UNCOVERED) | Q(reason__in=_REFUSALS))
    remote_ids = set(flipped.values_list("remote_id", flat=True))
    rows.update(
        host_permission=HostPermission.GRANTED,
        host_permission_checked_at=Now(),
        reason=Case(When(reason__in=_REFUSALS, then=Value("")), default=F("reason")),
    )
    return remote_ids


def _write_gone(rows: QuerySet[UserMatch]) -> None:
    """Not matched any more. Beat looks them up again: somebody else may have the user name now."""
    rows.update(
        directory=DirectoryState.UNMATCHED,
        reason=MatchReason.NOT_FOUND,
        host_permission=HostPermission.UNKNOWN,
        host_permission_checked_at=Now(),
        queried_name=None,
        **looked_once_more(),
    )


def _go_on_with(connection: Connection, remote_ids: Iterable[str]) -> None:
    """What was refused for them is tried again; and where a permission arrived, that of others may have, too.

    Of the others a portion, those who wait longest: if it is true of them, the next portion follows.
    """
    host_permission_granted.send(
        sender=UserMatch, connection_id=connection.pk, remote_ids=frozenset(remote_ids)
    )
    others = UserMatch.objects.filter(
        connection=connection,
        directory=DirectoryState.MATCHED,
        host_permission__in=_UNCOVERED,
        host_permission_due_at__gt=Now(),
        host_permission_checked_at__lte=Now() - timedelta(seconds=settings.COVERAGE_PAUSE_SECONDS),
    ).order_by("host_permission_checked_at", "pk")
    locked = others.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:PORTION]
    UserMatch.objects.filter(pk__in=list(locked)).update(host_permission_due_at=Now())


# --- What the pages ask -----------------------------------------------------------------------------
def needing_permission(connection: Connection) -> QuerySet[UserMatch]:
    """Those who were found, and whom nothing but the platform's permission keeps from hosting."""
    return UserMatch.objects.filter(
        Q(reason=MatchReason.NO_HOST_PERMISSION) | Q(reason="", host_permission__in=_UNCOVERED),
        connection=connection,
        directory=DirectoryState.MATCHED,
        staff__is_active=True,
    )


def grant_script(connection: Connection) -> str:
    """What an administrator of the platform runs for everybody who needs it; "" for nobody."""
    remote_ids = needing_permission(connection).order_by("remote_id").values_list("remote_id", flat=True)
    return platform_of(connection).grant_script(connection, list(remote_ids))


@transaction.atomic
def report_permission(
    connection: Connection, people: QuerySet[StaffMember], actor: StaffMember | None
) -> int:
    """An admin says that the permission was given to these people: the platform is asked until it has spread.

    Returns how many were waiting for one.
    """
    meant = needing_permission(connection).filter(staff__in=people.values("pk"))
    pks = list(
        meant.select_for_update(of=("self",), no_key=True).order_by("staff_id").values_list("pk", flat=True)
    )
    rows = UserMatch.objects.filter(pk__in=pks)
    rows.update(
        host_permission=HostPermission.WAITING, host_permission_attempts=0, host_permission_due_at=Now()
    )
    first = rows.select_related("staff").first()
    if first is not None:
        note_event(connection, EventKind.PERMISSION_REPORTED, actor, _reported_words(len(pks), first.staff))
        enqueue_on_commit(PROBE_TASK, connection.pk)
    return len(pks)


def _reported_words(count: int, first: StaffMember) -> str:
    if count == 1:
        return _("The access policy was reported as granted for %s.") % first.name
    words = ngettext(
        "The access policy was reported as granted for %d user.",
        "The access policy was reported as granted for %d users.",
        count,
    )
    return words % count

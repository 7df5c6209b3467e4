"""Check connection: asked for by an admin, run by a worker, its steps shown as they are done.

A web process never waits for it: each step may take as long as a request to the platform may, and there are several.
A check that no worker takes up names a trouble, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from coconut.task_queue import enqueue_on_commit
from integrations.events import record_event
from integrations.models import Connection, ConnectionCheck, EventKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import CheckStep, StepOutcome
from staff.models import StaffMember

TASK: Final = "integrations.check_connection"
LONGEST_CHECK_SECONDS: Final = 120
#: What is not done by then never will be: nobody took it up, or the worker died.
_GIVEN_UP_AFTER: Final = timedelta(seconds=LONGEST_CHECK_SECONDS + 15)
#: A worker that is free takes a check up at once.
_WAITS_LONG_AFTER: Final = timedelta(seconds=15)


@dataclass(frozen=True)
class CheckResult:
    """How far a check is, or how it ended. `waits_for_worker`: nobody took it up for some time."""

    check: ConnectionCheck
    steps: tuple[CheckStep, ...]
    is_under_way: bool
    waits_for_worker: bool

    @property
    def is_finished(self) -> bool:
        return self.check.finished_at is not None

    @property
    def is_outdated(self) -> bool:
        """Whether the platform has answered since the check ended. The connection must be loaded."""
        ended, answered = self.check.finished_at, self.check.connection.last_success_at
        return ended is not None and answered is not None and answered > ended

    @property
    def failed(self) -> CheckStep | None:
        """The step that failed."""
        return _failed(self.steps)


@transaction.atomic
def ask_for_check(connection: Connection, actor: StaffMember) -> ConnectionCheck:
    """Have a worker check the connection after commit; the check that is under way where there is one."""
    Connection.objects.lock(connection.pk)
    running = connection.checks.filter(_UNDER_WAY).first()
    if running is not None:
        return running
    connection.checks.all().delete()
    check = ConnectionCheck.objects.create(connection=connection, asked_by=actor)
    enqueue_on_commit(TASK, check.pk)
    return check


def run_check(check_id: int) -> None:
    """Take every step, writing each down as it is done. Nothing happens to a check that was taken up before."""
    mine = ConnectionCheck.objects.filter(pk=check_id)
    if not mine.filter(started_at__isnull=True).update(started_at=Now()):
        return
    check = mine.select_related("connection", "asked_by").first()
    if check is None:
        return
    steps: list[CheckStep] = []
    for step in platform_of(check.connection).check(check.connection):
        steps.append(step)
        mine.update(steps=[done.as_json() for done in steps])
    _finish(check, steps)


def latest_check(connection: Connection) -> CheckResult | None:
    """The check that was asked for last, as it is now; None when nobody ever asked. One query."""
    latest = (
        connection.checks.select_related("asked_by")
        .annotate(
            is_under_way=ExpressionWrapper(_UNDER_WAY, BooleanField()),
            waits_for_worker=ExpressionWrapper(
                Q(started_at__isnull=True, asked_at__lte=Now() - _WAITS_LONG_AFTER), BooleanField()
            ),
        )
        .first()
    )
    if latest is None:
        return None
    steps = tuple(map(CheckStep.from_json, latest.steps))
    return CheckResult(latest, steps, latest.is_under_way, latest.waits_for_worker)


_UNDER_WAY: Final = Q(finished_at__isnull=True, asked_at__gt=Now() - _GIVEN_UP_AFTER)


@transaction.atomic
def _finish(check: ConnectionCheck, steps: Sequence[CheckStep]) -> None:
    if ConnectionCheck.objects.filter(pk=check.pk).update(finished_at=Now()):
        failed = _failed(steps)
        record_event(
            check.connection,
            EventKind.CHECKED,
            check.asked_by,
            failed_step=failed.name if failed else "",
            reason=failed.message if failed else "",
        )


def _failed(steps: Sequence[CheckStep]) -> CheckStep | None:
    return next((step for step in steps if step.outcome == StepOutcome.FAILED), None)

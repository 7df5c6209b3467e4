"""Check connection: an admin requests the check, a worker runs it, and the page shows each finished step.

A web process never waits for a check, because each step can take as long as a request to the platform. If no worker
takes up the check, the page says so: that is a fault, too.
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
#: An unfinished check of this age will never finish: no worker took it up, or the worker died.
_DEAD_AFTER: Final = timedelta(seconds=LONGEST_CHECK_SECONDS + 15)
#: A free worker takes up a check at once.
_UNCLAIMED_AFTER: Final = timedelta(seconds=15)
_IS_UNDER_WAY: Final = Q(finished_at__isnull=True, requested_at__gt=Now() - _DEAD_AFTER)
_WAITS_FOR_WORKER: Final = Q(started_at__isnull=True, requested_at__lte=Now() - _UNCLAIMED_AFTER)


@dataclass(frozen=True)
class CheckResult:
    """Progress or result of a check. `waits_for_worker`: no worker has taken it up for some time."""

    check: ConnectionCheck
    steps: tuple[CheckStep, ...]
    is_under_way: bool
    waits_for_worker: bool

    @property
    def is_finished(self) -> bool:
        return self.check.finished_at is not None

    @property
    def is_outdated(self) -> bool:
        """Return whether the platform has answered since the check ended. Needs the connection loaded."""
        ended, answered = self.check.finished_at, self.check.connection.last_success_at
        return ended is not None and answered is not None and answered > ended

    @property
    def failed(self) -> CheckStep | None:
        """The failed step."""
        return _first_step(self.steps, StepOutcome.FAILED)

    @property
    def warned(self) -> CheckStep | None:
        """The first step with a warning."""
        return _first_step(self.steps, StepOutcome.WARNING)


@transaction.atomic
def request_check(connection: Connection, actor: StaffMember) -> ConnectionCheck:
    """Enqueue a check after commit. Returns the current check if one is under way."""
    Connection.objects.lock(connection.pk)
    running = connection.checks.filter(_IS_UNDER_WAY).first()
    if running is not None:
        return running
    connection.checks.all().delete()
    check = ConnectionCheck.objects.create(connection=connection, requested_by=actor)
    enqueue_on_commit(TASK, check.pk)
    return check


def run_check(check_id: int) -> None:
    """Run all steps and store each when it is done. Does nothing if the check was already started."""
    checks = ConnectionCheck.objects.filter(pk=check_id)
    if not checks.filter(started_at__isnull=True).update(started_at=Now()):
        return
    check = checks.select_related("connection", "requested_by").first()
    if check is None:
        return
    steps: list[CheckStep] = []
    for step in platform_of(check.connection).check(check.connection):
        steps.append(step)
        checks.update(steps=[done.as_json() for done in steps])
    _finish_check(check, steps)


def latest_check(connection: Connection) -> CheckResult | None:
    """Return the latest check, or None if there is none. One query."""
    latest = (
        connection.checks.select_related("requested_by")
        .annotate(
            is_under_way=ExpressionWrapper(_IS_UNDER_WAY, BooleanField()),
            waits_for_worker=ExpressionWrapper(_WAITS_FOR_WORKER, BooleanField()),
        )
        .first()
    )
    if latest is None:
        return None
    steps = tuple(map(CheckStep.from_json, latest.steps))
    return CheckResult(latest, steps, latest.is_under_way, latest.waits_for_worker)


@transaction.atomic
def _finish_check(check: ConnectionCheck, steps: Sequence[CheckStep]) -> None:
    # A newer request may have deleted the row.
    if ConnectionCheck.objects.filter(pk=check.pk).update(finished_at=Now()):
        failed, warned = _first_step(steps, StepOutcome.FAILED), _first_step(steps, StepOutcome.WARNING)
        record_event(
            check.connection,
            EventKind.CHECKED,
            check.requested_by,
            failed_step=failed.name if failed else "",
            reason=failed.message if failed else "",
            warning=warned.message if warned else "",
        )


def _first_step(steps: Sequence[CheckStep], outcome: StepOutcome) -> CheckStep | None:
    return next((step for step in steps if step.outcome == outcome), None)

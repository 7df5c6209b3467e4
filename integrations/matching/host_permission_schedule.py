"""Time of the next host permission probe.

A new permission takes up to half an hour to spread, sometimes two days. If no admin grants the permission, the probes
become rarer. The functions change a match without saving it: save `SCHEDULE_FIELDS`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone

from coconut.backoff import backoff
from integrations.models import HostPermission, UserMatch

PROBE_TASK: Final = "integrations.probe_coverage"
#: Columns that this module changes.
SCHEDULE_FIELDS: Final = [
    "host_permission",
    "host_permission_checked_at",
    "host_permission_due_at",
    "host_permission_attempts",
]
FIRST_PAUSE = timedelta(minutes=3)
#: Number of probes with the first pause. Together they take half an hour.
QUICK_PROBES: Final = 10
# After this number of probes two days have passed, and the permission isn't on its way any more.
_PROBES_WHILE_WAITING: Final = 19
_LONGEST_PAUSE_SECONDS: Final = 24 * 3600.0
_JITTER: Final = 0.1
_MOST_ATTEMPTS: Final = 1000


def schedule_next_probe(match: UserMatch) -> None:
    """Set the time of the next probe, after a probe without a final result."""
    seconds = backoff(
        match.host_permission_attempts - (QUICK_PROBES - 1),
        first=FIRST_PAUSE.total_seconds(),
        longest=_LONGEST_PAUSE_SECONDS,
        jitter=_JITTER,
    )
    match.host_permission_due_at = Now() + timedelta(seconds=seconds)
    match.host_permission_attempts = min(match.host_permission_attempts + 1, _MOST_ATTEMPTS)


def record_denial(match: UserMatch) -> None:
    """Note that the platform refuses meetings hosted as the person. A permission that may spread stays waiting."""
    is_waiting = match.host_permission == HostPermission.WAITING
    if not is_waiting or match.host_permission_attempts >= _PROBES_WHILE_WAITING:
        match.host_permission = HostPermission.DENIED
    match.host_permission_checked_at = Now()
    schedule_next_probe(match)


def record_refused_meeting(match: UserMatch) -> None:
    """Note that a meeting was refused, although the platform may have granted the permission before.

    A refusal within a day of the grant is a contradiction. Quick probes would then alternate between both results.
    """
    if match.host_permission == HostPermission.GRANTED:
        granted_at = match.host_permission_checked_at
        is_old = granted_at is not None and granted_at < timezone.now() - timedelta(days=1)
        match.host_permission_attempts = 0 if is_old else max(match.host_permission_attempts, QUICK_PROBES)
    record_denial(match)

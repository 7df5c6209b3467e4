"""Writing down what became of a try, each kind of failure with its own rule.

Every write is conditional on the lease, and on the version that was worked on: a meeting that was asked for anew
meanwhile is due at once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Now

from integrations.circuit_breaker import growing_pause, record_failure, record_success
from integrations.matching.host_permission_schedule import SCHEDULE_FIELDS, record_refused_meeting
from integrations.meetings.lease import Claim, settled_after
from integrations.meetings.signals import announce, enqueue_meetings_on_commit
from integrations.metrics import AGREED, TAKEN_OVER, count_sync
from integrations.models import DesiredState, DirectoryState, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import MatchReason, PlatformError

logger = logging.getLogger(__name__)

NO_ERROR: Final[dict[str, Any]] = {"error_kind": "", "error_sentence": "", "error_request_id": ""}
_NO_LEASE: Final[dict[str, Any]] = {"lease_token": None, "lease_until": None}
_LONGEST_PAUSE: Final = 3600.0  # seconds; a platform that asks for more is asked again after that
_NEVER: Final = Value(None, output_field=DateTimeField())


def write_success(claim: Claim, warning: str) -> None:
    """The platform agrees with the version that was worked on; `warning` is what it did not take over, or ""."""
    written = _write(
        claim,
        # Only when nothing uncertain is on its way any more is the meeting done with.
        due=_NEVER if claim.compare else F("recheck_at"),
        synced_version=claim.meeting.version,
        recheck_at=None if claim.compare else F("recheck_at"),
        attempts=0,
        warning=warning,
        **NO_ERROR,
    )
    count_sync(AGREED if written else TAKEN_OVER)
    if written:
        record_success(claim.meeting.connection_id)


def write_failure(claim: Claim, error: PlatformError) -> None:
    """The platform did not agree. Where waiting helps the meeting is due later, else it failed, with the remedy."""
    wait = _wait(error, claim.meeting.attempts)
    written = _write(
        claim,
        due=_NEVER if wait is None else Now() + wait,
        recheck_at=_recheck(claim, error, wait),
        error_kind=error.kind,
        error_sentence=error.sentence,
        error_request_id=error.request_id,
    )
    count_sync(error.kind if written else TAKEN_OVER)
    _log(claim.meeting, error)
    seconds = None if wait is None else wait.total_seconds()
    record_failure(claim.meeting.connection_id, error, caller=str(claim.meeting.pk), wait=seconds)
    if error.kind == ErrorKind.PERSON and written:
        _note_on_match(claim.meeting, error)


def _recheck(claim: Claim, error: PlatformError, wait: timedelta | None) -> Any:
    """When to compare. A comparison that was refused is not repeated: trying again sends the whole wanted state."""
    if error.ambiguous:
        return Now() + settled_after()
    is_over = wait is None and claim.meeting.desired_state == DesiredState.PRESENT
    return None if is_over and claim.compare else F("recheck_at")


@transaction.atomic
def _write(claim: Claim, *, due: Any, **fields: Any) -> bool:
    """Write an outcome and let go of the meeting; False when somebody else holds it, and nothing was written."""
    is_current = Q(version=claim.meeting.version)
    written = claim.mine().update(
        due_at=Case(When(is_current, then=due), default=Now()),
        enqueued_at=Case(When(is_current, then=_NEVER), default=Now()),
        **fields,
        **_NO_LEASE,
    )
    if not written:
        logger.warning("Meeting %s was taken over; this outcome is not written.", claim.meeting.pk)
        return False
    announce(claim.meeting.pk)
    if Meeting.objects.filter(pk=claim.meeting.pk).exclude(is_current).exists():
        enqueue_meetings_on_commit([claim.meeting.pk])
    return True


def _wait(error: PlatformError, attempts: int) -> timedelta | None:
    """How long until the next try; None when waiting does not help."""
    if not error.kind.is_waiting_useful:
        return None
    if error.retry_after is not None:
        return timedelta(seconds=min(max(error.retry_after, 1.0), _LONGEST_PAUSE))
    return timedelta(seconds=growing_pause(attempts - 1))


@transaction.atomic
def _note_on_match(meeting: Meeting, error: PlatformError) -> None:
    """Note on the host's match what the platform refused, if the host organizes the meeting.

    A refusal for a service account concerns that account. A match with another remote user isn't concerned either.
    """
    if error.reason is None:
        return
    match = (
        UserMatch.objects.select_for_update(no_key=True)
        .filter(connection=meeting.connection_id, staff=meeting.host_id, remote_id=meeting.organizer_id)
        .first()
    )
    if match is None:
        return
    match.reason = error.reason
    if error.reason == MatchReason.NO_HOST_PERMISSION:
        record_refused_meeting(match)
    if error.reason == MatchReason.NOT_FOUND:
        # Without `queried_name` the sweep rematches the person.
        match.directory, match.queried_name = DirectoryState.UNMATCHED, None
    match.save(update_fields=["reason", "directory", "queried_name", *SCHEDULE_FIELDS])


def _log(meeting: Meeting, error: PlatformError) -> None:
    level = logging.ERROR if error.kind == ErrorKind.BUG else logging.WARNING
    logger.log(
        level,
        "Meeting %s: %s (%s, attempt %s, request id %s)",
        meeting.pk,
        error.sentence,
        error.kind,
        meeting.attempts,
        error.request_id or "none",
        extra={"organization_id": meeting.organization_id, "platform_request_id": error.request_id},
    )

"""Record the outcome of an attempt. Each kind of failure has its own rule.

Every write requires the lease. If the meeting's version changed meanwhile, the meeting is due at once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Now

from coconut.leases import NO_LEASE
from integrations.circuit_breaker import (
    growing_pause,
    pause_organizer,
    record_failure,
    record_success,
    release_probe,
)
from integrations.matching.host_permission_schedule import SCHEDULE_FIELDS, record_refused_meeting
from integrations.meetings import lease
from integrations.meetings.lease import Claim
from integrations.meetings.signals import enqueue_meetings_on_commit, send_meeting_changed
from integrations.messages import Message, NeutralMessage
from integrations.metrics import AGREED, TAKEN_OVER, count_sync
from integrations.models import DesiredState, DirectoryState, Meeting, UserMatch
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.values import ErrorScope, MatchReason, PlatformError

logger = logging.getLogger(__name__)

NO_ERROR: Final[dict[str, Any]] = {"error_kind": "", "error": Message(), "error_request_id": ""}
#: Counts of failures after which a version of a meeting is given up.
NO_COUNTED_FAILURES: Final[dict[str, Any]] = {"crashes": 0, "unusable_answers": 0}
#: Crashes after which a meeting fails. The pauses between them add up to about four minutes.
MOST_CRASHES: Final = 5
#: Longest pause in seconds. If the platform asks for a longer one, the next attempt comes earlier.
_LONGEST_PAUSE: Final = {ErrorScope.CONNECTION: 3600.0, ErrorScope.HOST: 86400.0, ErrorScope.UNCLEAR: 3600.0}
_NEVER: Final = Value(None, output_field=DateTimeField())


def write_success(claim: Claim, warning: Message) -> None:
    """Record that the platform is in sync with the claimed version.

    `warning` says what the platform didn't accept, if anything.
    """
    is_written = _write_outcome(
        claim,
        # The meeting stays due while an uncertain write may still land.
        due=_NEVER if claim.compare else F("recheck_at"),
        synced_version=claim.meeting.version,
        recheck_at=None if claim.compare else F("recheck_at"),
        attempts=0,
        warning=warning,
        is_orphaned=False,
        **NO_COUNTED_FAILURES,
        **NO_ERROR,
    )
    count_sync(AGREED if is_written else TAKEN_OVER)
    if is_written:
        record_success(claim.meeting.connection_id)


def write_failure(claim: Claim, error: PlatformError) -> None:
    """Record a failed attempt. If waiting helps, the meeting is due later; otherwise it has failed."""
    meeting = claim.meeting
    unusable_answers = meeting.unusable_answers + 1 if error.kind == ErrorKind.UNUSABLE else 0
    wait = _pause_before_retry(error, unusable_answers or meeting.attempts)
    gives_up = unusable_answers >= MOST_UNUSABLE_ANSWERS
    is_written = _write_outcome(
        claim,
        due=_NEVER if wait is None or gives_up else Now() + wait,
        recheck_at=_recheck_at(claim, error, None if gives_up else wait),
        unusable_answers=_count_of_version(meeting, unusable_answers),
        error_kind=error.kind,
        error=Message(NeutralMessage.NO_USABLE_ANSWER, {"times": unusable_answers}) if gives_up else error.message,
        error_request_id=error.request_id,
    )
    count_sync(error.kind if is_written else TAKEN_OVER)
    _log_failure(meeting, error)
    _report_to_connection(meeting, error, wait)
    if error.kind == ErrorKind.PERSON and is_written:
        _record_refusal_on_match(meeting, error)


def _report_to_connection(meeting: Meeting, error: PlatformError, wait: timedelta | None) -> None:
    seconds = None if wait is None else wait.total_seconds()
    if seconds is not None and error.kind == ErrorKind.THROTTLED:
        pause_organizer(meeting.connection_id, meeting.organizer_id, seconds, error.scope)
    record_failure(meeting.connection_id, error, caller=str(meeting.pk), wait=seconds)


def _count_of_version(meeting: Meeting, count: int) -> Case:
    """Return `count`, or 0 if a request changed the meeting meanwhile."""
    return Case(When(version=meeting.version, then=Value(count)), default=Value(0))


def write_crash(claim: Claim) -> None:
    """Record that an unexpected exception ended the attempt. After MOST_CRASHES of a version, the meeting has failed.

    The exception is only logged, because it may contain secrets.
    """
    meeting = claim.meeting
    crashes = meeting.crashes + 1
    has_failed = crashes >= MOST_CRASHES
    wait = None if has_failed else timedelta(seconds=growing_pause(crashes - 1))
    reason = _reason_of_crash(meeting) if has_failed else Message(NeutralMessage.CRASHED)
    # The platform may have carried out the last write, so that the meeting is compared later.
    error = PlatformError(ErrorKind.BUG, reason, ambiguous=True)
    is_written = _write_outcome(
        claim,
        due=_NEVER if wait is None else Now() + wait,
        recheck_at=_recheck_at(claim, error, wait),
        crashes=_count_of_version(meeting, crashes),
        error_kind=error.kind,
        error=error.message,
        error_request_id="",
    )
    count_sync(error.kind if is_written else TAKEN_OVER)
    # The crash says nothing about the platform.
    release_probe(meeting.connection_id, caller=str(meeting.pk))


def _reason_of_crash(meeting: Meeting) -> Message:
    if meeting.desired_state == DesiredState.ABSENT:
        code = NeutralMessage.CRASHED_BEFORE_DELETION
    else:
        code = NeutralMessage.CRASHED_WITH_LINK if meeting.join_url else NeutralMessage.CRASHED_WITHOUT_LINK
    return Message(code, {"key": str(meeting.pk)})


def postpone_until_settled(claim: Claim) -> None:
    """Release the meeting without a call, and make it due once the earlier write must have landed."""
    _write_outcome(claim, due=F("recheck_at"))


def _recheck_at(claim: Claim, error: PlatformError, wait: timedelta | None) -> Any:
    """Return the time of the next comparison.

    A comparison that was refused isn't repeated: Try again sends the whole desired state.
    """
    if error.ambiguous:
        return Now() + lease.SETTLED_AFTER
    has_failed = wait is None and claim.meeting.desired_state == DesiredState.PRESENT
    return None if has_failed and claim.compare else F("recheck_at")


@transaction.atomic
def _write_outcome(claim: Claim, *, due: Any, **fields: Any) -> bool:
    """Write an outcome and release the meeting. Return False, and write nothing, if another worker holds it."""
    is_current = Q(version=claim.meeting.version)
    is_written = claim.row().update(
        due_at=Case(When(is_current, then=due), default=Now()),
        enqueued_at=Case(When(is_current, then=_NEVER), default=Now()),
        **fields,
        **NO_LEASE,
    )
    if not is_written:
        logger.warning("Meeting %s was taken over; this outcome is not written.", claim.meeting.pk)
        return False
    send_meeting_changed(claim.meeting.pk)
    if Meeting.objects.filter(pk=claim.meeting.pk).exclude(is_current).exists():
        enqueue_meetings_on_commit([claim.meeting.pk])
    return True


def _pause_before_retry(error: PlatformError, attempts: int) -> timedelta | None:
    """Return the time until the next attempt, or None if waiting doesn't help."""
    if not error.kind.is_waiting_useful:
        return None
    growing = growing_pause(attempts - 1)
    if error.retry_after is None:
        return timedelta(seconds=growing)
    # Unusable answers are counted, so a short Retry-After must not use up the attempts within seconds.
    shortest = growing if error.kind == ErrorKind.UNUSABLE else 1.0
    return timedelta(seconds=max(shortest, min(error.retry_after, _LONGEST_PAUSE[error.scope])))


@transaction.atomic
def _record_refusal_on_match(meeting: Meeting, error: PlatformError) -> None:
    """Record the refusal on the host's match if the host is the organizer.

    If one account organizes all meetings, the refusal concerns that account and not the staff member. The same is
    true if the staff member was matched with another remote user since.
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
        # Another remote user may have the user name now, so the sweep looks it up again.
        match.directory, match.queried_name = DirectoryState.UNMATCHED, None
    match.save(update_fields=["reason", "directory", "queried_name", *SCHEDULE_FIELDS])


def _log_failure(meeting: Meeting, error: PlatformError) -> None:
    level = logging.ERROR if error.kind == ErrorKind.BUG else logging.WARNING
    logger.log(
        level,
        "Meeting %s: %s (%s, attempt %s, request id %s)",
        meeting.pk,
        error.message.in_english(),
        error.kind,
        meeting.attempts,
        error.request_id or "none",
        extra={"organization_id": meeting.organization_id, "platform_request_id": error.request_id},
    )

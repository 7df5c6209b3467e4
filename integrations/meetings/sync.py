"""Bring the platform in sync with a meeting: claim the row, act, record the outcome.

A worker may die at any moment. These invariants make that harmless:

- The claim is committed before the first call. A meeting that may exist on the platform is therefore known.
- Creating is idempotent. If an earlier attempt may have created the meeting, the platform finds it instead of creating
  a second one, by our key or by a search.
- A platform that must search can't see a create that is still on its way. The next attempt therefore waits until the
  earlier one has landed (`Claim.is_settling`).
- A meeting that vanished is created again under the same key. If "not found" was wrong, the platform returns the old
  meeting, so there is no second link. The old link stays until the platform has answered.
- An uncertain write (no answer, or a dead worker) may land late, over a newer one. Sending the whole desired state
  again is always right. Once the late write must have landed, the meeting is read and compared. If it should be
  absent, it is found and deleted once more.
- The outcome is written only while the row still carries the claim's lease token.
- An unexpected exception fails only its own meeting. If the system fails, such as the database, the lease stays.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from coconut.isolation import SYSTEM_FAILURES
from integrations.meetings.findings import record_finding
from integrations.meetings.lease import Claim, LeaseLost, claim_meeting
from integrations.meetings.outcomes import postpone_until_settled, write_crash, write_failure, write_success
from integrations.meetings.signals import send_meeting_changed
from integrations.meetings.sweep import end_past_meetings
from integrations.messages import Message, NeutralMessage
from integrations.metrics import TAKEN_OVER, count_sync
from integrations.models import DesiredState, FindingKind, Meeting
from integrations.platforms.base import VideoPlatform
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.subjects import clean_subject, without_joiners
from integrations.platforms.values import Attendee, MeetingSpec, PlatformError, RemoteMeeting

logger = logging.getLogger(__name__)


class _NotSettled(Exception):
    """An earlier create may still land, and the platform could not find it yet."""


def sync_meeting(meeting_id: UUID) -> None:
    """Bring the platform in sync with a due meeting. Do nothing if the meeting isn't due or is leased.

    Safe to run at any time, any number of times, by any number of workers. Raises RuntimeError inside a transaction.
    """
    end_past_meetings(Meeting.objects.filter(pk=meeting_id))
    claim = claim_meeting(meeting_id)
    if claim is None:
        return
    try:
        _sync_and_record(claim)
    except SYSTEM_FAILURES:
        raise
    except Exception:
        logger.exception(
            "Meeting %s: the sync crashed.", meeting_id, extra={"organization_id": claim.meeting.organization_id}
        )
        write_crash(claim)


def _sync_and_record(claim: Claim) -> None:
    try:
        warning = _sync_claimed(claim)
    except LeaseLost:
        count_sync(TAKEN_OVER)
        logger.warning("Meeting %s was taken over by another worker.", claim.meeting.pk)
    except _NotSettled:
        postpone_until_settled(claim)
    except PlatformError as error:
        write_failure(claim, error)
    else:
        write_success(claim, warning)


def _sync_claimed(claim: Claim) -> Message:
    """Do what the desired state requires, and return the platform's warning or an empty message.

    Raises PlatformError, LeaseLost and _NotSettled.
    """
    meeting = claim.meeting
    platform = platform_of(meeting.connection)
    if meeting.desired_state == DesiredState.ABSENT:
        return _delete_remote(claim, platform)
    if not meeting.remote_id:
        return _create_remote(claim, platform, may_exist=meeting.may_exist)
    if claim.compare and meeting.synced_version == meeting.version:
        return _compare_remote(claim, platform)
    return _update_remote(claim, platform)


def _create_remote(claim: Claim, platform: VideoPlatform, *, may_exist: bool) -> Message:
    """Create or find the meeting and store its link at once. Then send the options that creating leaves out."""
    if claim.is_settling and not platform.creates_by_key:
        raise _NotSettled
    meeting = claim.meeting
    remote = platform.create_meeting(meeting.connection, _spec_of(meeting), may_exist=may_exist)
    has_other_link = meeting.join_url not in ("", remote.join_url)
    with transaction.atomic():
        claim.save(remote_id=remote.remote_id, join_url=remote.join_url)
        if has_other_link:
            record_finding(meeting, FindingKind.RECREATED, {"platform": platform.label})
    send_meeting_changed(meeting.pk)
    if remote.is_as_specified:
        return Message()
    return platform.update_meeting(meeting.connection, remote.remote_id, _spec_of(meeting))


def _update_remote(claim: Claim, platform: VideoPlatform) -> Message:
    meeting = claim.meeting
    try:
        return platform.update_meeting(meeting.connection, meeting.remote_id, _spec_of(meeting))
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
    return _recreate_remote(claim, platform)


def _compare_remote(claim: Claim, platform: VideoPlatform) -> Message:
    """Read the meeting, and send the desired state again if a late write changed it."""
    meeting = claim.meeting
    try:
        remote = platform.read_meeting(meeting.connection, meeting.organizer_id, meeting.remote_id)
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
        return _recreate_remote(claim, platform)
    differences = _differences(remote, meeting)
    if not differences:
        return meeting.warning
    # After an uncertain write of ours, the difference is probably our own.
    if meeting.is_read_for_comparison:
        return _restore_remote(claim, platform, differences)
    return _update_remote(claim, platform)


def _restore_remote(claim: Claim, platform: VideoPlatform, differences: list[NeutralMessage]) -> Message:
    """Send the desired state again. The finding is recorded only once the platform has accepted it."""
    warning = _update_remote(claim, platform)
    named = [Message(difference).as_json() for difference in differences]
    with transaction.atomic():
        claim.save(warning=warning)
        params = {"platform": platform.label, "differences": named}
        record_finding(claim.meeting, FindingKind.RESTORED, params)
    return warning


def _recreate_remote(claim: Claim, platform: VideoPlatform) -> Message:
    """Create the vanished meeting again. Forget its id first: a cancel must find the new meeting."""
    logger.warning("Meeting %s vanished from the platform and is created again.", claim.meeting.pk)
    claim.save(remote_id="")
    return _create_remote(claim, platform, may_exist=True)


def _delete_remote(claim: Claim, platform: VideoPlatform) -> Message:
    """Delete the meeting. If its id is unknown, or a late create may have landed, find it by our key first."""
    meeting = claim.meeting
    if not meeting.remote_id or claim.compare:
        remote = platform.find_meeting(meeting.connection, _spec_of(meeting))
        if remote is not None:
            claim.save(remote_id=remote.remote_id)
    if not meeting.remote_id:
        return Message()
    try:
        platform.delete_meeting(meeting.connection, meeting.organizer_id, meeting.remote_id)
    except PlatformError as error:
        # Deleting twice does no harm, so no comparison has to follow.
        error.ambiguous = False
        raise
    return Message()


def _spec_of(meeting: Meeting) -> MeetingSpec:
    return MeetingSpec(
        key=meeting.pk,
        organizer_id=meeting.organizer_id,
        subject=meeting.subject,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        attendees=tuple(Attendee(**attendee) for attendee in meeting.attendees),
    )


def _differences(remote: RemoteMeeting, meeting: Meeting) -> list[NeutralMessage]:
    """Return the names of the properties that differ, or an empty list.

    If the platform refused a part of the desired state last time (`warning`), its attendees may be incomplete.
    Sending them again would change nothing, so they aren't compared.
    """
    desired_ids = frozenset(attendee["remote_id"].casefold() for attendee in meeting.attendees)
    remote_ids = frozenset(attendee_id.casefold() for attendee_id in remote.attendee_ids)
    is_same = {
        NeutralMessage.SUBJECT: _normalize_subject(remote.subject) == _normalize_subject(meeting.subject),
        NeutralMessage.START: _without_microseconds(remote.starts_at) == _without_microseconds(meeting.starts_at),
        NeutralMessage.END: _without_microseconds(remote.ends_at) == _without_microseconds(meeting.ends_at),
        NeutralMessage.ATTENDEES: remote_ids == desired_ids or bool(meeting.warning),
    }
    return [name for name, same in is_same.items() if not same]


def _normalize_subject(subject: str) -> str:
    """Return the subject as platforms keep it. Some may drop joiners."""
    return without_joiners(clean_subject(subject))


def _without_microseconds(time: datetime | None) -> datetime | None:
    return time and time.replace(microsecond=0)

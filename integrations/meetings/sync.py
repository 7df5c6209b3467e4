"""Making the platform agree with a meeting: claim it, act, write down the outcome.

A worker may die at any moment. What makes that harmless:

- The claim is committed before the first call, so a meeting that may exist remotely is known to be one.
- Creating is idempotent: the platform finds the meeting with our key. A worker that died after it was made, and
  before the link was written, leaves one meeting that the next worker finds.
- A meeting that vanished is made again *under the same key*. Microsoft frees the key of a deleted meeting, so that
  gives a new one; and where "not found" was not true, the old one is found and nobody gets a second link. Until the
  answer is there, people keep the old link: Microsoft's links outlive their meetings.
- An uncertain write (no answer, a worker that died) may arrive late, over a newer one. Sending the whole wanted state
  again is always right; once the late one must have arrived, the meeting is read and compared, or, where it should
  be gone, looked for and deleted once more.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.meetings.differences import differences
from integrations.meetings.findings import record_finding
from integrations.meetings.lease import Claim, LeaseLost, claim
from integrations.meetings.outcomes import write_failure, write_success
from integrations.meetings.signals import announce
from integrations.meetings.sweep import end_over
from integrations.metrics import TAKEN_OVER, count_sync
from integrations.models import DesiredState, FindingKind, Meeting
from integrations.platforms.base import VideoPlatform
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import platform_of
from integrations.platforms.values import Attendee, MeetingSpec, PlatformError

logger = logging.getLogger(__name__)


def sync_meeting(meeting_id: UUID) -> None:
    """Make the platform agree with a meeting that is due; nothing happens with one that is not, or is being worked on.

    Safe to run at any time, any number of times, by any number of workers. RuntimeError inside a transaction.
    """
    end_over(Meeting.objects.filter(pk=meeting_id))
    claimed = claim(meeting_id)
    if claimed is None:
        return
    try:
        warning = _make_agree(claimed)
    except LeaseLost:
        count_sync(TAKEN_OVER)
        logger.warning("Meeting %s was taken over by another worker.", meeting_id)
    except PlatformError as error:
        write_failure(claimed, error)
    else:
        write_success(claimed, warning)


def _make_agree(claimed: Claim) -> str:
    """Do what is needed; returns the platform's warning or "". Raises PlatformError and LeaseLost."""
    meeting = claimed.meeting
    platform = platform_of(meeting.connection)
    if meeting.desired_state == DesiredState.ABSENT:
        return _retire(claimed, platform)
    if not meeting.remote_id:
        return _create(claimed, platform)
    if claimed.compare and meeting.synced_version == meeting.version:
        return _compare(claimed, platform)
    return _update(claimed, platform)


def _create(claimed: Claim, platform: VideoPlatform) -> str:
    """Make the meeting or find it, hand out its link at once, then send what creating it leaves out."""
    meeting = claimed.meeting
    remote = platform.create_meeting(meeting.connection, _spec(meeting))
    is_another = meeting.join_url not in ("", remote.join_url)
    with transaction.atomic():
        claimed.keep(remote_id=remote.remote_id, join_url=remote.join_url)
        if is_another:
            words = _("The meeting no longer existed in %(platform)s: it was made again, with a new link.")
            record_finding(meeting, FindingKind.RECREATED, words % {"platform": platform.label})
    announce(meeting.pk)
    return platform.update_meeting(meeting.connection, remote.remote_id, _spec(meeting))


def _update(claimed: Claim, platform: VideoPlatform) -> str:
    meeting = claimed.meeting
    try:
        return platform.update_meeting(meeting.connection, meeting.remote_id, _spec(meeting))
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
    return _make_again(claimed, platform)


def _compare(claimed: Claim, platform: VideoPlatform) -> str:
    """Read the meeting and send the wanted state again where a late write changed it."""
    meeting = claimed.meeting
    try:
        remote = platform.read_meeting(meeting.connection, meeting.organizer_id, meeting.remote_id)
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
        return _make_again(claimed, platform)
    changed = differences(remote, meeting)
    if not changed:
        return meeting.warning
    # After an uncertain write of ours the difference is likely to be our own.
    return (
        _put_back(claimed, platform, changed)
        if meeting.is_read_for_comparison
        else _update(claimed, platform)
    )


def _put_back(claimed: Claim, platform: VideoPlatform, changed: list[str]) -> str:
    """Send the wanted state again. It is news only once the platform has taken it."""
    warning = _update(claimed, platform)
    words = _("Somebody had changed the meeting in %(platform)s (%(what)s): it was put back.")
    with transaction.atomic():
        claimed.keep(warning=warning)
        what = {"platform": platform.label, "what": ", ".join(changed)}
        record_finding(claimed.meeting, FindingKind.RESTORED, words % what)
    return warning


def _make_again(claimed: Claim, platform: VideoPlatform) -> str:
    """The remote meeting vanished. Its id is forgotten first: a cancel must look for the new one, not for this."""
    logger.warning("Meeting %s vanished from the platform and is made again.", claimed.meeting.pk)
    claimed.keep(remote_id="")
    return _create(claimed, platform)


def _retire(claimed: Claim, platform: VideoPlatform) -> str:
    """Delete the meeting. Where its id is not known, or a late create may have come, it is asked for by our key."""
    meeting = claimed.meeting
    if not meeting.remote_id or claimed.compare:
        claimed.keep(remote_id=platform.create_meeting(meeting.connection, _spec(meeting)).remote_id)
    try:
        platform.delete_meeting(meeting.connection, meeting.organizer_id, meeting.remote_id)
    except PlatformError as error:
        # Deleting twice does no harm, so nothing has to be compared afterwards.
        error.ambiguous = False
        raise
    return ""


def _spec(meeting: Meeting) -> MeetingSpec:
    return MeetingSpec(
        key=meeting.pk,
        organizer_id=meeting.organizer_id,
        subject=meeting.subject,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        attendees=tuple(Attendee(**attendee) for attendee in meeting.attendees),
    )

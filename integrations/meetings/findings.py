"""Record that a meeting wasn't in sync, and how that was repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

from integrations.models import Finding, FindingKind, Meeting

#: Sent after commit: `sender=Meeting, meeting_id=UUID, finding=Finding`.
meeting_repaired = Signal()


def record_finding(meeting: Meeting, kind: FindingKind, params: Mapping[str, Any] | None = None) -> None:
    """Store the finding and send `meeting_repaired` after commit. Call it inside a transaction."""
    finding = Finding.objects.create(
        meeting=meeting, connection_id=meeting.connection_id, kind=kind, params=dict(params or {})
    )
    _send_repaired_on_commit(meeting.pk, finding)


def _send_repaired_on_commit(meeting_id: UUID, finding: Finding) -> None:
    def send() -> None:
        meeting_repaired.send_robust(sender=Meeting, meeting_id=meeting_id, finding=finding)

    transaction.on_commit(send, robust=True)

"""Connections to video platforms, who is matched on them, and the meetings that must exist there."""

from integrations.models.connections import (
    Connection,
    ConnectionCheck,
    ConnectionEvent,
    ConnectionStatus,
    EventKind,
    MatchField,
)
from integrations.models.matches import (
    Coverage,
    DirectoryState,
    MatchStatus,
    UserMatch,
)
from integrations.models.meetings import Meeting, MeetingQuerySet, MeetingState, Wanted
from integrations.models.monitoring import DriftFinding, DriftWatch, OrganizerMonth
from integrations.models.reconciliation import Finding, FindingKind, Reconciliation
from integrations.models.rematches import (
    MatchChange,
    RematchRun,
    RematchScope,
    RematchState,
    RematchTrigger,
)

__all__ = [
    "Connection",
    "ConnectionCheck",
    "ConnectionEvent",
    "ConnectionStatus",
    "Coverage",
    "DirectoryState",
    "DriftFinding",
    "DriftWatch",
    "EventKind",
    "Finding",
    "FindingKind",
    "MatchChange",
    "MatchField",
    "MatchStatus",
    "Meeting",
    "MeetingQuerySet",
    "MeetingState",
    "OrganizerMonth",
    "Reconciliation",
    "RematchRun",
    "RematchScope",
    "RematchState",
    "RematchTrigger",
    "UserMatch",
    "Wanted",
]

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
    DirectoryState,
    HostPermission,
    MatchStatus,
    UserMatch,
)
from integrations.models.meetings import DesiredState, Meeting, MeetingQuerySet, MeetingState
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
    "DesiredState",
    "DirectoryState",
    "DriftFinding",
    "DriftWatch",
    "EventKind",
    "Finding",
    "FindingKind",
    "HostPermission",
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
]

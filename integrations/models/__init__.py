"""Models of connections to video platforms, matches, and meetings."""

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
from integrations.models.meetings import DesiredState, HostPause, Meeting, MeetingQuerySet, MeetingState
from integrations.models.monitoring import DriftFinding, DriftWatch, OrganizerUsage
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
    "HostPause",
    "HostPermission",
    "MatchChange",
    "MatchField",
    "MatchStatus",
    "Meeting",
    "MeetingQuerySet",
    "MeetingState",
    "OrganizerUsage",
    "Reconciliation",
    "RematchRun",
    "RematchScope",
    "RematchState",
    "RematchTrigger",
    "UserMatch",
]

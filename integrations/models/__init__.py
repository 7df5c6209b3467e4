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
    RematchRun,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from integrations.models.meetings import Meeting, MeetingQuerySet, MeetingState, Wanted

__all__ = [
    "Connection",
    "ConnectionCheck",
    "ConnectionEvent",
    "ConnectionStatus",
    "Coverage",
    "DirectoryState",
    "EventKind",
    "MatchField",
    "MatchStatus",
    "Meeting",
    "MeetingQuerySet",
    "MeetingState",
    "RematchRun",
    "RematchState",
    "RematchTrigger",
    "UserMatch",
    "Wanted",
]

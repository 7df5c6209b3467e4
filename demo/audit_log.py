"""Entries of the audit log for the weeks before the demo starts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from staff.audit_log.differences import Changes
from staff.audit_log.kinds import PERSON_ADDED, ROLE_CHANGED, SIGN_IN_FAILED, SIGNED_IN, AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.record import new_event
from staff.models import Role, StaffMember

# Reserved for documentation (RFC 5737).
_OFFICE = "192.0.2.14"
_ELSEWHERE = "198.51.100.7"


def audit_events_of(admin: StaffMember, people: Iterable[StaffMember], now: datetime) -> list[AuditEvent]:
    """Return unsaved entries: the admin added the people, promoted the front desk and signed in this week."""
    others = [person for person in people if person != admin]
    added = [
        _past_event(PERSON_ADDED, person, now - timedelta(days=30), actor=admin, changes=_first_values(person))
        for person in others
    ]
    promotion = [{"field": "role", "before": Role.STAFF, "after": Role.SCHEDULER}]
    promoted = [
        _past_event(ROLE_CHANGED, person, now - timedelta(days=9), actor=admin, changes=promotion)
        for person in others
        if person.role == Role.SCHEDULER
    ]
    return [
        *added,
        *promoted,
        _past_event(SIGN_IN_FAILED, admin, now - timedelta(days=2, minutes=3), address=_ELSEWHERE),
        _past_event(SIGNED_IN, admin, now - timedelta(days=2), actor=admin),
    ]


def _first_values(person: StaffMember) -> Changes:
    role = Role.STAFF if person.role == Role.SCHEDULER else person.role
    return [{"field": "email", "after": person.email}, {"field": "role", "after": role}]


def _past_event(kind: AuditKind, subject: Model, at: datetime, *, address: str = _OFFICE, **facts: Any) -> AuditEvent:
    event = new_event(kind, subject, **facts)
    event.at, event.address = at, address
    return event

"""Write events to the audit log, in the transaction of the change that they record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import Model

from staff.audit_log.differences import Changes
from staff.audit_log.kinds import AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.origin import current_actor, current_address
from staff.models import Organization, StaffMember

_ADDRESS_LENGTH: Final = AuditEvent._meta.get_field("address").max_length


def record(kind: AuditKind, subject: Model | None = None, **facts: Any) -> AuditEvent:
    """Add an event. `facts` are the optional arguments of `new_event`."""
    event = new_event(kind, subject, **facts)
    event.save(force_insert=True)
    return event


def record_all(events: Iterable[AuditEvent]) -> None:
    """Add several events of `new_event` at once."""
    AuditEvent.objects.bulk_create(events)


def new_event(
    kind: AuditKind,
    subject: Model | None = None,
    *,
    organization: Organization | None = None,
    actor: StaffMember | None = None,
    address: str = "",
    name: str = "",
    changes: Changes | None = None,
    params: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Return an unsaved event about `subject`, an instance with a primary key.

    `organization` is that of the subject unless given, `actor` the signed-in person, and `address` that of the request.
    `name` is the subject's, unless it is a staff member; leave it out for a client. `changes` are of `differences` or
    `first_values`. `params` are further facts as JSON values. About a client, pass only names of fields, never values.
    """
    actor = actor or current_actor()
    return AuditEvent(
        organization_id=organization.pk if organization else _organization_of(subject),
        actor_id=actor.pk if actor else None,
        address=(address or current_address())[:_ADDRESS_LENGTH],
        kind=kind.name,
        subject_model=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        subject_name=subject.name if isinstance(subject, StaffMember) else name,
        params={**(params or {}), **({"changes": changes} if changes else {})},
    )


def _organization_of(subject: Model | None) -> int | None:
    if isinstance(subject, Organization):
        return subject.pk
    return getattr(subject, "organization_id", None)

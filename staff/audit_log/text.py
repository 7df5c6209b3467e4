"""Render events of the audit log in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField, Field
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from staff.audit_log.kinds import AuditKind, kind_named
from staff.audit_log.models import AuditEvent


@dataclass(frozen=True)
class Entry:
    """An event as people read it. `page` is the address of the subject's page, or ""."""

    event: AuditEvent
    kind: str
    actor: str
    subject: str
    page: str
    details: str


def entries_of(events: Iterable[AuditEvent]) -> list[Entry]:
    """Return the events for people, in their order. The number of queries doesn't grow with theirs."""
    rows = list(events)
    details = _details_of(rows)
    return [_entry(event, details.get(event.pk, "")) for event in rows]


def _entry(event: AuditEvent, details: str) -> Entry:
    kind = kind_named(event.kind)
    has_page = bool(kind.page and event.subject_id and event.organization_id)
    return Entry(
        event=event,
        kind=str(kind.label),
        actor=_actor_text(event),
        subject=_subject_text(event),
        page=reverse(kind.page, args=[event.subject_id]) if has_page else "",
        details=details,
    )


def _actor_text(event: AuditEvent) -> str:
    actor = event.actor
    if actor is None:
        return _("Not signed in") if event.address else _("Coconut")
    if actor.organization_id is None:
        return _("%(name)s (operator)") % {"name": actor.name}
    return actor.name


def _subject_text(event: AuditEvent) -> str:
    """Return the stored name, or else the kind of row and its number, such as "Client 27"."""
    if event.subject_name or event.subject_id is None:
        return event.subject_name
    model = apps.get_model(event.subject_model)
    return f"{capfirst(str(model._meta.verbose_name))} {event.subject_id}"


def _details_of(events: Sequence[AuditEvent]) -> dict[int, str]:
    by_kind: dict[AuditKind, list[AuditEvent]] = defaultdict(list)
    for event in events:
        by_kind[kind_named(event.kind)].append(event)
    details: dict[int, str] = {}
    for kind, group in by_kind.items():
        details |= kind.describe(group) if kind.describe else {event.pk: changes_text(event) for event in group}
    return details


def changes_text(event: AuditEvent) -> str:
    """Return the values before and after, such as "Role: Staff member → Admin"."""
    return "; ".join(change_text(event.subject_model, change) for change in event.params.get("changes", []))


def change_text(model: str, change: Mapping[str, Any]) -> str:
    """Return one of `Changes` as text. `model` is the label of the model that has the field."""
    field = _field(model, change["field"])
    values = {name: _value_text(field, change[name]) for name in ("before", "after") if name in change}
    values["field"] = field_label(model, change["field"])
    if "before" not in change:
        return _("%(field)s: %(after)s") % values
    return _("%(field)s: %(before)s → %(after)s") % values


def field_label(model: str, name: str) -> str:
    """Return the name of a model's field for people."""
    field = _field(model, name)
    return capfirst(str(field.verbose_name)) if field is not None else name


def _field(model: str, name: str) -> Field[Any, Any] | None:
    try:
        field = apps.get_model(model)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None
    return field if isinstance(field, Field) else None


def _value_text(field: Field[Any, Any] | None, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _choice_text(field, value)


def _choice_text(field: Field[Any, Any] | None, value: Any) -> str:
    """Return the label of a choice. The values of other fields, such as time zones, are their own labels."""
    choices = field.flatchoices if isinstance(field, CharField) else []
    return str(dict(choices).get(value, value))

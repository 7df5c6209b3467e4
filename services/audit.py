"""Changes of services and assignments, as events of the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.models import MeetingMethod, OfferedTo, Question, QuestionWording, Service
from staff.audit_log.differences import Changes, differences, first_values
from staff.audit_log.kinds import AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.record import new_event, record, record_all
from staff.audit_log.text import change_text
from staff.models import StaffMember


def _describe_methods(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the meeting methods before and after."""
    return {
        event.pk: _("%(before)s → %(after)s")
        % {name: _methods_text(event.params[name]) for name in ("before", "after")}
        for event in events
        if event.params
    }


def _methods_text(offers: Mapping[str, str]) -> str:
    texts = [f"{MeetingMethod(int(method)).label} ({OfferedTo(to).label})" for method, to in offers.items()]
    return ", ".join(texts) or _("none")


def _describe_assignments(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the service."""
    return {event.pk: event.params.get("service", "") for event in events}


def _describe_questions(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the values before and after of a question and of its wording, which are two tables."""
    return {event.pk: "; ".join(map(_question_change, event.params.get("changes", []))) for event in events}


def _question_change(change: Mapping[str, Any]) -> str:
    model = QuestionWording if change["field"] in ("text", "options") else Question
    return change_text(model._meta.label_lower, change)


def _describe_places(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the service, and its locations before and after."""
    return {event.pk: _places_change_text(event.params) for event in events if event.params}


def _places_change_text(params: Mapping[str, Any]) -> str:
    texts = {name: ", ".join(params[name]) or _("every location") for name in ("before", "after")}
    return _("%(service)s: %(before)s → %(after)s") % {"service": params["service"], **texts}


SERVICE_ADDED: Final = AuditKind("service_added", gettext_lazy("Service added"), page="service-edit")
SERVICE_CHANGED: Final = AuditKind("service_changed", gettext_lazy("Service changed"), page="service-edit")
SERVICE_SWITCHED_OFF: Final = AuditKind(
    "service_switched_off", gettext_lazy("Service switched off"), page="service-edit"
)
SERVICE_SWITCHED_ON: Final = AuditKind("service_switched_on", gettext_lazy("Service switched on"), page="service-edit")
METHODS_CHANGED: Final = AuditKind(
    "methods_changed", gettext_lazy("Meeting methods changed"), page="service-more", describe=_describe_methods
)
SERVICE_ASSIGNED: Final = AuditKind(
    "service_assigned", gettext_lazy("Service assigned"), page="staff-services", describe=_describe_assignments
)
SERVICE_UNASSIGNED: Final = AuditKind(
    "service_unassigned", gettext_lazy("Service unassigned"), page="staff-services", describe=_describe_assignments
)
QUESTION_ADDED: Final = AuditKind(
    "question_added", gettext_lazy("Question added"), page="question-edit", describe=_describe_questions
)
QUESTION_CHANGED: Final = AuditKind(
    "question_changed", gettext_lazy("Question changed"), page="question-edit", describe=_describe_questions
)
SERVICE_PLACES_CHANGED: Final = AuditKind(
    "service_places_changed",
    gettext_lazy("Locations of a service changed"),
    page="staff-services",
    describe=_describe_places,
)
SERVICE_KINDS: Final = (
    SERVICE_ADDED,
    SERVICE_CHANGED,
    SERVICE_SWITCHED_OFF,
    SERVICE_SWITCHED_ON,
    METHODS_CHANGED,
    SERVICE_ASSIGNED,
    SERVICE_UNASSIGNED,
    SERVICE_PLACES_CHANGED,
    QUESTION_ADDED,
    QUESTION_CHANGED,
)


def record_new_service(service: Service, fields: Iterable[str]) -> None:
    """Record that a service was added, with the values of these fields."""
    record(SERVICE_ADDED, service, name=service.name, changes=first_values(service, fields))


def record_service_changes(before: Service, after: Service, fields: Iterable[str]) -> None:
    """Record which of these fields differ between the stored service and the saved one."""
    if before.active != after.active:
        kind = SERVICE_SWITCHED_ON if after.active else SERVICE_SWITCHED_OFF
        record(kind, after, name=after.name)
    if changes := differences(before, after, [name for name in fields if name != "active"]):
        record(SERVICE_CHANGED, after, name=after.name, changes=changes)


def record_methods(
    service: Service, before: Mapping[MeetingMethod, OfferedTo], after: Mapping[MeetingMethod, OfferedTo]
) -> None:
    """Record the meeting methods before and after, if they differ."""
    if dict(before) != dict(after):
        record(METHODS_CHANGED, service, name=service.name, params={"before": dict(before), "after": dict(after)})


def record_assignments(kind: AuditKind, pairs: Iterable[tuple[StaffMember, Service]]) -> None:
    """Record for each person that a service was assigned or taken away."""
    record_all(new_event(kind, person, params={"service": service.name}) for person, service in pairs)


def record_new_question(question: Question, text: str) -> None:
    """Record that a question was added to its service."""
    service = question.service
    changes: Changes = [{"field": "text", "after": text}, *first_values(question, ["kind", "required"])]
    record(QUESTION_ADDED, question, organization=service.organization, name=service.name, changes=changes)


def record_question_changes(
    question: Question, wording: QuestionWording, text: str, options: list[str], required: bool, active: bool
) -> None:
    """Record which values of a question and of its wording change to these."""
    values = [
        ("text", wording.text, text),
        ("options", wording.options, options),
        ("required", question.required, required),
        ("active", question.active, active),
    ]
    changes: Changes = [
        {"field": field, "before": before, "after": after} for field, before, after in values if before != after
    ]
    if changes:
        service = question.service
        record(QUESTION_CHANGED, question, organization=service.organization, name=service.name, changes=changes)

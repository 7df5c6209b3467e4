"""Timeline of an appointment: facts are stored as kind and parameters, and rendered in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from appointments.models import Appointment, AppointmentEvent
from appointments.models import AppointmentEventKind as Kind
from integrations.messages import Message
from services.models import MeetingMethod
from staff.clock import format_time
from staff.models import StaffMember


@dataclass(frozen=True)
class Fact:
    """Something that happened to an appointment.

    `params` are JSON values: texts, numbers of minutes or of a meeting method, times as of `local_time`, and messages
    of a video platform (`integrations.messages`).
    """

    kind: Kind
    params: Mapping[str, Any] = field(default_factory=dict)


def record_event(appointment: Appointment, *facts: Fact, actor: StaffMember | None = None, through: str = "") -> None:
    """Add one line to the appointment's timeline. Several facts of one change share the line."""
    new_event(appointment, *facts, actor=actor, through=through).save(force_insert=True)


def record_event_once(appointment: Appointment, once: str, fact: Fact) -> None:
    """Add a line unless the timeline has one with this key already."""
    # The unique constraint decides: two workers may report the same fact at the same time.
    event = new_event(appointment, fact)
    event.once = once
    AppointmentEvent.objects.bulk_create([event], ignore_conflicts=True)


def new_event(
    appointment: Appointment, *facts: Fact, actor: StaffMember | None = None, through: str = ""
) -> AppointmentEvent:
    """Return an unsaved line of the timeline."""
    first, *others = facts
    params = dict(first.params)
    if others:
        params["also"] = [{"kind": fact.kind, "params": dict(fact.params)} for fact in others]
    return AppointmentEvent(appointment=appointment, actor=actor, through=through, kind=first.kind, params=params)


def event_text(event: AppointmentEvent) -> str:
    """Return the sentences of one line, in the current language."""
    sentences = [_fact_text(event.kind, event.params)]
    sentences += [_fact_text(fact["kind"], fact["params"]) for fact in event.params.get("also", [])]
    return " ".join(sentences)


def last_change(appointment: Appointment) -> AppointmentEvent | None:
    """Return the last change that a person made; changes of the link by the platform don't count."""
    by_people = appointment.events.exclude(through="").select_related("actor")
    return by_people.order_by("-at", "-pk").first()


def local_time(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """Return a time as event parameters, to be shown in the time zone."""
    return {"at": at.isoformat(), "zone": zone.key}


_TEMPLATES: Final[dict[str, Promise | str]] = {
    Kind.BOOKED: gettext_lazy("Booked for %(when)s."),
    Kind.MOVED: gettext_lazy("Moved from %(before)s to %(when)s."),
    Kind.KEPT_LOCAL_TIME: gettext_lazy("Kept at %(when)s, because the rules of the time zone changed."),
    Kind.MOVED_BY_ZONE_RULES: gettext_lazy("Now at %(when)s, because the rules of the time zone changed."),
    Kind.REASSIGNED: gettext_lazy("Reassigned from %(before)s to %(name)s."),
    Kind.REASSIGNED_SAME_LINK: gettext_lazy("Reassigned from %(before)s to %(name)s. The link stays."),
    Kind.REASSIGNED_NEW_LINK: gettext_lazy("Reassigned from %(before)s to %(name)s, with a new link."),
    Kind.METHOD_CHANGED: gettext_lazy("Meeting method changed from %(before)s to %(method)s."),
    Kind.LOCATION_CHANGED: gettext_lazy("Another location: %(name)s."),
    Kind.CONFIRMED: gettext_lazy("Confirmed again."),
    Kind.ARRIVED: gettext_lazy("The client arrived."),
    Kind.IN_PROGRESS: gettext_lazy("Started."),
    Kind.SERVED: gettext_lazy("Completed."),
    Kind.NO_SHOW: gettext_lazy("The client did not come."),
    Kind.CANCELLED: gettext_lazy("Cancelled."),
    Kind.CANCELLED_WITH_REASON: gettext_lazy("Cancelled: %(reason)s"),
    Kind.NOTES_CHANGED: gettext_lazy("Notes changed."),
    Kind.CLIENT_NOT_EMAILED: gettext_lazy("The client was not emailed about this change."),
    Kind.TIMES_OFFERED: gettext_lazy("The client was asked to choose another time."),
    Kind.LEFT_AS_IT_IS: gettext_lazy("Left as it is, although it needed attention."),
    Kind.CLIENT_MERGED: gettext_lazy("The client was merged with another one."),
    Kind.PRIVATE_LINKS_REPLACED: gettext_lazy("The client’s email changed. The client has new links."),
    Kind.LINK_REQUESTED: gettext_lazy("A link was requested."),
    Kind.LINK_REPLACED: gettext_lazy("The link was replaced."),
    Kind.ORGANIZER_CHANGED: gettext_lazy(
        "The link was replaced, because the meeting has another organizer on the video platform now."
    ),
    Kind.LINK_READY: gettext_lazy("The link is ready."),
    Kind.LINK_FAILED: gettext_lazy("There is no link: %(reason)s"),
    Kind.LINK_CHANGE_FAILED: gettext_lazy(
        "The link works, but the last change did not reach the video platform: %(reason)s"
    ),
    Kind.LINK_CHECK_FAILED: gettext_lazy("The link could not be checked on the video platform: %(reason)s"),
    Kind.MEETING_REPAIRED: "%(finding)s",
}


def _fact_text(kind: str, params: Mapping[str, Any]) -> str:
    try:
        return _full_text(kind, params)
    except KeyError:
        # The parameters were erased with the client.
        return f"{Kind(kind).label}."


def _full_text(kind: str, params: Mapping[str, Any]) -> str:
    if kind == Kind.LENGTH_CHANGED:
        minutes = params["minutes"]
        template = ngettext("It takes %(minutes)s minute now.", "It takes %(minutes)s minutes now.", minutes)
        return template % {"minutes": minutes}
    return str(_TEMPLATES[kind]) % {name: _param_text(value) for name, value in params.items()}


def _param_text(value: Any) -> str:
    match value:
        case {"code": _}:
            return str(Message.from_json(value))
        case {"at": at, "zone": zone}:
            local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
            return f"{date_format(local, 'D j M Y')}, {format_time(local)} {local.tzname()}"
        case int():
            return str(MeetingMethod(value).label)
    return str(value)

"""Export what is stored about a client, as JSON values."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.models import Answer, Appointment, AppointmentEvent, Client, Notification
from appointments.timeline import event_text
from services.models import MeetingMethod


def export_client(client: Client) -> dict[str, Any]:
    """Return the client's details, appointments, timelines and emails. Takes a constant number of queries.

    Times are ISO 8601 in the client's time zone, with its name beside them. Codes are those of the database. Private
    links are left out: they would give the reader of the file access to the appointments.
    """
    zone: ZoneInfo = client.time_zone or client.organization.time_zone
    return {
        "exported_at": _iso(timezone.now(), zone),
        "time_zone": zone.key,
        "organization": client.organization.name,
        "client": {
            "id": client.pk,
            "name": client.name,
            "email": client.email,
            "phone": client.phone,
            "time_zone": client.time_zone.key if client.time_zone else None,
            "language": client.language,
            "added_at": _iso(client.created_at, zone),
        },
        "appointments": [_appointment(appointment, zone) for appointment in _appointments_of(client)],
    }


def _appointments_of(client: Client) -> list[Appointment]:
    found = client.appointments.select_related("service", "staff", "location", "booked_by", "meeting__connection")
    return list(
        found.prefetch_related("events__actor", "answers__wording", "notifications__email").order_by("starts_at", "pk")
    )


def _appointment(appointment: Appointment, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": appointment.pk,
        "service": appointment.service.name,
        "staff": appointment.staff.name,
        "starts_at": _iso(appointment.starts_at, zone),
        "ends_at": _iso(appointment.ends_at, zone),
        "method": MeetingMethod(appointment.method).name.lower(),
        "location": appointment.location.name if appointment.location else None,
        "status": appointment.status,
        "booked_at": _iso(appointment.created_at, zone),
        "booked_through": appointment.booked_through,
        "booked_by": appointment.booked_by.name if appointment.booked_by else None,
        "time_zone_of_booking": appointment.client_time_zone.key if appointment.client_time_zone else None,
        "client_note": appointment.client_note,
        "internal_note": appointment.internal_note,
        "answers": [_answer(answer) for answer in appointment.answers.all()],
        "cancel_reason": appointment.cancel_reason,
        "video_meeting": _meeting(appointment),
        "timeline": [_event(event, zone) for event in appointment.events.all()],
        "emails": [_email(each, zone) for each in sorted(appointment.notifications.all(), key=lambda each: each.pk)],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    wording = answer.wording
    given: dict[str, Any] = {"text": answer.text} if answer.agreed is None else {"agreed": answer.agreed}
    return {"question": wording.text, "version": wording.version, **given}


def _meeting(appointment: Appointment) -> dict[str, Any] | None:
    meeting = appointment.meeting
    if meeting is None:
        return None
    return {"platform": meeting.connection.platform, "subject": meeting.subject, "state": meeting.state}


def _event(event: AppointmentEvent, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "at": _iso(event.at, zone),
        "kind": event.kind,
        "text": event_text(event),
        "details": event.params,
        "by": event.actor.name if event.actor else None,
        "through": event.through,
    }


def _email(notification: Notification, zone: ZoneInfo) -> dict[str, Any]:
    email = notification.email
    return {
        "kind": notification.kind,
        "audience": notification.audience,
        "to": email.to,
        "state": email.state,
        "created_at": _iso(email.created_at, zone),
        "sent_at": _iso(email.sent_at, zone) if email.sent_at else None,
    }


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()

"""Test emails with sample data, for admins who look at what their clients and staff get."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.models import Appointment, Audience, BookedThrough, Client, Notification, NotificationKind
from appointments.notifications.before_after import snapshot
from appointments.notifications.messages import message_for
from services.models import MeetingMethod, Service
from staff.models import Location, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email

_DAYS_AHEAD: Final = 7
_STARTS: Final = time(10)


def send_sample(reader: StaffMember, kind: str, audience: str) -> None:
    """Send an admin the email of this kind to clients or to staff, about a made-up appointment with the admin."""
    params = {"reader": reader.pk, "kind": kind, "audience": audience}
    enqueue_email(SAMPLE_EMAIL, to=[reader.email], params=params, organization=reader.organization)


def _render_sample(email: OutboxEmail) -> EmailMultiAlternatives | None:
    """Return the message, or None if the reader is no longer an active admin."""
    reader = StaffMember.objects.filter(pk=email.params["reader"], is_active=True).first()
    if reader is None or not reader.is_admin or reader.email not in email.to:
        return None
    kind, audience = NotificationKind(email.params["kind"]), Audience(email.params["audience"])
    with transaction.atomic():
        message = message_for(_notification(_create_appointment(reader), kind, audience))
        transaction.set_rollback(True)
    assert message is not None  # noqa: S101 - the sample client has an address
    message.subject = _("Test: %(subject)s") % {"subject": message.subject}
    message.to = [reader.email]
    # A calendar would add the made-up appointment.
    message.attachments = []
    message.alternatives = [each for each in message.alternatives if each[1] == "text/html"]
    return message


SAMPLE_EMAIL: Final = EmailKind("appointments.sample", _render_sample)


def _create_appointment(reader: StaffMember) -> Appointment:
    """Create an appointment of the admin with a made-up client. The caller rolls back."""
    organization = reader.organization
    assert organization is not None  # noqa: S101 - operators have no such page
    service = organization.services.active().order_by("pk").first()
    if service is None:
        service = Service.objects.create(organization=organization, name=_("Consultation"))
    client = Client.objects.create(organization=organization, name=_("Alex Example"), email=reader.email)
    location = reader.location or Location.objects.active().filter(organization=organization).order_by("name").first()
    starts_at = _free_start(reader)
    ends_at = starts_at + timedelta(minutes=service.duration)
    return Appointment.objects.create(
        organization=organization,
        service=service,
        staff=reader,
        client=client,
        location=location,
        method=MeetingMethod.AT_LOCATION if location else MeetingMethod.PHONE,
        starts_at=starts_at,
        ends_at=ends_at,
        busy_from=starts_at,
        busy_to=ends_at,
        booked_through=BookedThrough.SCHEDULE,
    )


def _free_start(reader: StaffMember) -> datetime:
    """Return ten o'clock of the first day in a week or later on which the admin has no appointment."""
    day = timezone.localdate(timezone=reader.zone) + timedelta(days=_DAYS_AHEAD)
    while True:
        start = datetime.combine(day, time(0), reader.zone)
        on_the_day = Appointment.objects.busy().filter(
            staff=reader, busy_from__lt=start + timedelta(days=2), busy_to__gt=start
        )
        if not on_the_day.exists():
            return datetime.combine(day, _STARTS, reader.zone).astimezone(UTC)
        day += timedelta(days=1)


def _notification(appointment: Appointment, kind: NotificationKind, audience: Audience) -> Notification:
    email = OutboxEmail(to=[appointment.staff.email], organization_id=appointment.organization_id)
    before = None if kind == NotificationKind.BOOKED else _before(appointment, kind)
    return Notification(appointment=appointment, email=email, kind=kind, audience=audience, before=before)


def _before(appointment: Appointment, kind: NotificationKind) -> dict[str, Any]:
    """Return previous values that suit the kind of change."""
    before = snapshot(appointment)
    if kind in (NotificationKind.MOVED, NotificationKind.CHANGED):
        earlier = timedelta(days=-1)
        before |= {
            "starts_at": (appointment.starts_at + earlier).isoformat(),
            "ends_at": (appointment.ends_at + earlier).isoformat(),
            "local_start": "",
        }
    if kind == NotificationKind.REASSIGNED:
        before |= {"staff": _("Robin Example"), "staff_id": None}
    return before

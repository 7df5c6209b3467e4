"""The mails themselves: in the reader's language and time zone, as HTML, text and a calendar entry."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from appointments.ics import address_of, invitation, method_of, summary
from appointments.links import has_video_link, join_label, join_url, manage_url, staff_url
from appointments.models import Appointment, Audience, Notification, NotificationKind

_RELATED = (
    "organization",
    "service",
    "client",
    "location",
    "staff__organization",
    "staff__location",
    "meeting__connection",
)


def mail_for(notification: Notification) -> EmailMultiAlternatives:
    """Build the mail of an outbox row from the appointment as it is now."""
    appointment = Appointment.objects.select_related(*_RELATED).get(pk=notification.appointment_id)
    zone, language = _zone_and_language(appointment, notification.audience)
    with translation.override(language), timezone.override(zone):
        return _mail(appointment, notification)


def _mail(appointment: Appointment, notification: Notification) -> EmailMultiAlternatives:
    context = _context(appointment, notification)
    name = f"appointments/mail/{notification.audience}"
    mail = EmailMultiAlternatives(
        subject=context["subject"],
        body=render_to_string(f"{name}.txt", context),
        to=[notification.to],
        headers={"Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"{name}.html", context), "text/html")
    _attach_calendar(mail, appointment, notification)
    return mail


def _attach_calendar(
    mail: EmailMultiAlternatives, appointment: Appointment, notification: Notification
) -> None:
    """As a part that mail programs act upon, and as a file for those that do not."""
    ics = invitation(
        appointment,
        kind=notification.kind,
        sequence=notification.sequence,
        audience=notification.audience,
        to=notification.to,
    ).decode()
    mail.attach_alternative(ics, f"text/calendar; method={method_of(notification.kind)}")
    mail.attach("appointment.ics", ics, "application/ics")


def _context(appointment: Appointment, notification: Notification) -> dict[str, Any]:
    heading = _heading(notification.kind)
    # One line whatever names hold: a header cannot be continued from here.
    subject = " ".join(f"{heading}: {summary(appointment, notification.audience)}".split())
    is_live = notification.kind != NotificationKind.CANCELLED
    return {
        "appointment": appointment,
        "heading": heading,
        "subject": subject,
        "zone": timezone.get_current_timezone_name(),
        "is_live": is_live,
        "sentence": _sentence(notification),
        "language": translation.get_language(),
        "address": "" if has_video_link(appointment) else address_of(appointment),
        "join_url": join_url(appointment) if is_live and has_video_link(appointment) else "",
        "join_label": join_label(appointment),
        **_private_links(appointment, notification.audience),
    }


def _private_links(appointment: Appointment, audience: str) -> dict[str, str]:
    if audience == Audience.CLIENT:
        return {"manage_url": manage_url(appointment)}
    return {"staff_url": staff_url(appointment)}


def _heading(kind: str) -> str:
    if kind == NotificationKind.CANCELLED:
        return _("Appointment cancelled")
    if kind == NotificationKind.MOVED:
        return _("Appointment moved")
    return _("Appointment confirmed")


def _sentence(notification: Notification) -> str:
    """What happened, in one sentence to whoever reads it."""
    is_client = notification.audience == Audience.CLIENT
    if notification.kind == NotificationKind.CANCELLED:
        return (
            _("Your appointment is cancelled.") if is_client else _("An appointment of yours is cancelled.")
        )
    if notification.kind == NotificationKind.MOVED:
        return (
            _("Your appointment has a new time.")
            if is_client
            else _("An appointment of yours has a new time.")
        )
    return _("Your appointment is confirmed.") if is_client else _("You have a new appointment.")


def _zone_and_language(appointment: Appointment, audience: str) -> tuple[tzinfo, str]:
    organization, client = appointment.organization, appointment.client
    if audience == Audience.STAFF:
        return appointment.staff.zone, organization.language
    return client.time_zone or organization.time_zone, client.language or organization.language

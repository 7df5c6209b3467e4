"""Messages about an appointment as HTML, text and a calendar entry, in the reader's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from appointments.absolute_urls import book_again_url, cancel_url, join_url_for, manage_url, move_url, staff_url
from appointments.answers import answers_of
from appointments.deadlines import deadlines_of
from appointments.labels import join_label, list_appointments, phone_to_call, reason_for_client
from appointments.models import Appointment, Audience, Notification, NotificationKind
from appointments.notifications.before_after import PreviousValues, has_new_staff_link, previous_values, without_leaver
from appointments.notifications.calendar_links import CalendarLinks, calendar_facts_of, calendar_links
from appointments.notifications.facts import facts_of
from appointments.notifications.ics import PUBLISH, calendar_of, invitation, method_of, summary
from services.models import MeetingMethod
from staff.emails.layout import brand_of, render_html
from staff.models import StaffMember

_RELATED = (
    "organization",
    "service",
    "client",
    "location",
    "staff__organization",
    "staff__location",
    "meeting__connection",
)


def message_for(notification: Notification) -> EmailMultiAlternatives | None:
    """Build the message from the present state of the appointment; None if the client has no address any more."""
    # One query reads the client's address and the private links: new links never go to an earlier address.
    appointment = Appointment.objects.select_related(*_RELATED).get(pk=notification.appointment_id)
    if not _address_of_reader(appointment, notification):
        return None
    if notification.audience == Audience.OLD_EMAIL:
        return _render_withdrawal(appointment, notification)
    with timezone.override(_zone_of_reader(appointment, notification)):
        return _render_message(appointment, notification)


def summary_for(notifications: Sequence[Notification]) -> EmailMultiAlternatives:
    """Build the message to a staff member about several live appointments, from their present state."""
    pks = [notification.appointment_id for notification in notifications]
    appointments = Appointment.objects.select_related(*_RELATED).in_bulk(pks)
    pairs = [(appointments[notification.appointment_id], notification) for notification in notifications]
    return _render_summary(pairs)


def _render_summary(pairs: Sequence[tuple[Appointment, Notification]]) -> EmailMultiAlternatives:
    number = len(pairs)
    subject = ngettext("%d appointment changed", "%d appointments changed", number) % number
    sentence = ngettext("%d of your appointments has changed.", "%d of your appointments have changed.", number)
    context = {
        "subject": subject,
        "sentence": f"{sentence % number} {_('This is how they are now:')}",
        "changes": [_context_in_readers_zone(appointment, notification) for appointment, notification in pairs],
    }
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string("appointments/email/staff_summary.txt", context),
    )
    brand = brand_of(pairs[0][0].organization)
    message.attach_alternative(render_html("appointments/email/staff_summary.html", context, brand), "text/html")
    message.attach(
        "appointments.ics",
        calendar_of([appointment for appointment, _notification in pairs]),
        f"text/calendar; method={PUBLISH}",
    )
    return message


def _context_in_readers_zone(appointment: Appointment, notification: Notification) -> dict[str, Any]:
    with timezone.override(_zone_of_reader(appointment, notification)):
        return _context(appointment, notification)


def _render_message(appointment: Appointment, notification: Notification) -> EmailMultiAlternatives:
    context = _context(appointment, notification)
    name = f"appointments/email/{Audience.CLIENT if notification.audience == Audience.CLIENT else Audience.STAFF}"
    message = EmailMultiAlternatives(
        subject=context["subject"],
        body=render_to_string(f"{name}.txt", context),
        to=[_address_of_reader(appointment, notification)],
        reply_to=_reply_addresses(appointment),
    )
    brand = brand_of(appointment.organization, phone=phone_to_call(appointment))
    message.attach_alternative(render_html(f"{name}.html", context, brand), "text/html")
    # A reminder changes nothing in a calendar.
    if notification.kind != NotificationKind.REMINDER:
        _attach_calendar(message, appointment, notification)
    return message


def _reply_addresses(appointment: Appointment) -> list[str]:
    """Return the address of the branch, if it has its own. `staff.emails.sender` knows the organisation's."""
    return [appointment.location.reply_to] if appointment.location and appointment.location.reply_to else []


def _render_withdrawal(appointment: Appointment, notification: Notification) -> EmailMultiAlternatives:
    """Build the message to a client's earlier address, which may be a stranger's: it names nothing but the calendar."""
    subject = _("Removed from your calendar: %(summary)s") % {"summary": summary(appointment, Audience.CLIENT)}
    context = {"subject": subject, "organization": appointment.organization}
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string("appointments/email/old_email.txt", context),
        to=[notification.to],
    )
    brand = brand_of(appointment.organization)
    message.attach_alternative(render_html("appointments/email/old_email.html", context, brand), "text/html")
    _attach_calendar(message, appointment, notification)
    return message


def _attach_calendar(message: EmailMultiAlternatives, appointment: Appointment, notification: Notification) -> None:
    """Attach the calendar file as an alternative, which email programs act on, and as a file for the others."""
    ics = invitation(
        appointment,
        kind=notification.kind,
        sequence=sequence_of(appointment, notification),
        audience=notification.audience,
        to=message.to[0],
    ).decode()
    message.attach_alternative(ics, f"text/calendar; method={method_of(notification.kind)}")
    message.attach("appointment.ics", ics, "application/ics")


def sequence_of(appointment: Appointment, notification: Notification) -> int:
    """Return the SEQUENCE of an email that is rendered now. It has the present facts, so it has their version.

    The earlier address of a client gets a smaller one than the new address. If both lead to the same mailbox, its
    calendar ignores the cancellation, whichever email comes first (RFC 5546, section 2.1.5).
    """
    if notification.audience == Audience.OLD_EMAIL:
        return max(notification.sequence - 1, 0)
    return max(notification.sequence, appointment.version)


def _context(appointment: Appointment, notification: Notification) -> dict[str, Any]:
    audience = notification.audience
    previous = without_leaver(previous_values(appointment, notification.before))
    is_live = notification.kind != NotificationKind.CANCELLED
    # The new staff member never knew the previous values.
    is_new = audience == Audience.STAFF and notification.kind == NotificationKind.REASSIGNED
    return {
        "appointment": appointment,
        "subject": f"{_heading(notification)}: {summary(appointment, audience)}",
        "sentence": _sentence(appointment, notification, previous),
        "heading": _heading(notification),
        "is_live": is_live,
        "is_former": audience == Audience.FORMER,
        "reason": "" if is_live else _cancel_reason(appointment, audience),
        "facts": facts_of(appointment, audience, PreviousValues() if is_new else previous, is_live=is_live),
        "other_appointments": _others_at_this_time(appointment) if is_live and audience == Audience.CLIENT else "",
        "calendar": _calendar_links(appointment) if is_live and audience == Audience.CLIENT else None,
        "was_video": is_live and previous.was_video,
        "must_choose": notification.kind == NotificationKind.TIMES_OFFERED,
        "join_url": join_url_for(appointment, audience) if is_live and appointment.has_video_link else "",
        "join_label": join_label(appointment),
        **({} if is_new else _join_link_changes(appointment, notification)),
        **_private_links(appointment, audience),
    }


def _calendar_links(appointment: Appointment) -> CalendarLinks:
    return calendar_links(calendar_facts_of(appointment, Audience.CLIENT))


def _others_at_this_time(appointment: Appointment) -> str:
    """Return the client's other appointments at the same time. Only the email names them: it reaches the client."""
    others = Appointment.objects.overlapping(appointment).select_related("service", "staff")
    return list_appointments(others)


def _cancel_reason(appointment: Appointment, audience: str) -> str:
    if audience == Audience.CLIENT:
        return reason_for_client(appointment)
    return appointment.cancel_reason if audience == Audience.STAFF else ""


def _join_link_changes(appointment: Appointment, notification: Notification) -> dict[str, bool]:
    """Return whether a reader who has a join link can keep it, or needs the new one."""
    if notification.before is None or notification.before["method"] != MeetingMethod.VIDEO:
        return {}
    is_new = notification.audience == Audience.STAFF and has_new_staff_link(appointment, notification.before)
    return {"join_stays": not is_new, "join_is_new": is_new}


def _private_links(appointment: Appointment, audience: str) -> dict[str, Any]:
    if audience == Audience.CLIENT:
        links = {"manage_url": manage_url(appointment), "move_url": move_url(appointment)}
        links |= {"cancel_url": cancel_url(appointment)}
        links |= {"book_again_url": book_again_url(appointment), "phone": phone_to_call(appointment)}
        return links | {"deadlines": deadlines_of(appointment)}
    # The previous staff member has no access to the appointment any more.
    if audience != Audience.STAFF:
        return {}
    return {"staff_url": staff_url(appointment), "answers": list(answers_of(appointment))}


_HEADINGS = {
    NotificationKind.BOOKED: _lazy("Appointment confirmed"),
    NotificationKind.MOVED: _lazy("Appointment moved"),
    NotificationKind.REASSIGNED: _lazy("Appointment reassigned"),
    NotificationKind.CHANGED: _lazy("Appointment changed"),
    NotificationKind.CANCELLED: _lazy("Appointment cancelled"),
    NotificationKind.TIMES_OFFERED: _lazy("Please choose another time"),
    NotificationKind.REMINDER: _lazy("Reminder"),
}
# Sentences for the client and for the staff member.
_SENTENCES = {
    NotificationKind.BOOKED: (_lazy("Your appointment is confirmed."), _lazy("You have a new appointment.")),
    NotificationKind.MOVED: (
        _lazy("Your appointment has a new time."),
        _lazy("An appointment of yours has a new time."),
    ),
    NotificationKind.REASSIGNED: (
        _lazy("Your appointment is with %(name)s now."),
        _lazy("You have taken over an appointment from %(previous)s."),
    ),
    NotificationKind.CHANGED: (
        _lazy("Your appointment has changed. This is how it is now:"),
        _lazy("An appointment of yours has changed. This is how it is now:"),
    ),
    NotificationKind.CANCELLED: (
        _lazy("Your appointment is cancelled."),
        _lazy("An appointment of yours is cancelled."),
    ),
    NotificationKind.TIMES_OFFERED: (
        _lazy("We have to move your appointment. Please choose another time. Until you do, this time stays yours."),
        _lazy("The client was asked to choose another time."),
    ),
    NotificationKind.REMINDER: (
        _lazy("This is a reminder of your appointment."),
        _lazy("This is a reminder of an appointment of yours."),
    ),
}


def _heading(notification: Notification) -> str:
    if notification.audience == Audience.FORMER:
        return _("Appointment reassigned")
    return str(_HEADINGS[NotificationKind(notification.kind)])


def _sentence(appointment: Appointment, notification: Notification, previous: PreviousValues) -> str:
    words = {"name": appointment.staff.name, "previous": previous.staff}
    if notification.audience == Audience.FORMER:
        return _("%(name)s has taken over this appointment.") % words
    to_client, to_staff = _SENTENCES[NotificationKind(notification.kind)]
    if notification.kind == NotificationKind.REASSIGNED and not previous.staff:
        to_staff = _lazy("You have taken over an appointment.")
    sentence = to_client if notification.audience == Audience.CLIENT else to_staff
    return str(sentence) % words


def _address_of_reader(appointment: Appointment, notification: Notification) -> str:
    return appointment.client.email if notification.audience == Audience.CLIENT else notification.to


def _zone_of_reader(appointment: Appointment, notification: Notification) -> tzinfo:
    if notification.audience == Audience.CLIENT:
        return appointment.client_zone
    return appointment.zone_for(_reader(appointment, notification))


def _reader(appointment: Appointment, notification: Notification) -> StaffMember:
    """Return the staff member who gets the email, or the present one if no staff member has the address."""
    if notification.audience != Audience.FORMER:
        return appointment.staff
    colleagues = StaffMember.objects.filter(organization=appointment.organization)
    found = colleagues.select_related("organization", "location").filter(email__iexact=notification.to)
    return found.first() or appointment.staff

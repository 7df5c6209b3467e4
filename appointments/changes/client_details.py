"""Edited details of a client. A corrected email address gets new private links, and the earlier ones end.

An email to the earlier address may have reached a stranger. Its links could move and cancel the appointments.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.absolute_urls import PRIVATE_LINKS_LAST
from appointments.audit import record_client_changes
from appointments.booking_rules.errors import ChangedMeanwhile
from appointments.booking_rules.locks import lock_people
from appointments.models import (
    LIVE_STATUSES,
    Appointment,
    AppointmentEventKind,
    BookedThrough,
    Client,
    new_token,
)
from appointments.notifications.outbox import notify_new_address
from appointments.timeline import Fact, record_event
from staff.audit_log.differences import differences
from staff.models import StaffMember

_DETAILS: Final = ("name", "email", "phone", "time_zone")


def save_client(client: Client, *, actor: StaffMember) -> int:
    """Save the details of a client. Return how many upcoming appointments got new links because the email changed.

    Their emails with the new links go to the new address only. The staff's join links and the video meetings stay.
    Raises ChangedMeanwhile, and saves nothing, if an appointment is reassigned at the same moment. Raises
    Client.DoesNotExist if the client was erased meanwhile.
    """
    with transaction.atomic():
        # The row lock decides between two edits: each compares with the address that the other saved.
        stored = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        client.save(update_fields=_DETAILS)
        record_client_changes(client, [change["field"] for change in differences(stored, client, _DETAILS)])
        if stored.email.casefold() == client.email.casefold():
            return 0
        appointments = _lock_appointments_with_links(client)
        return sum(_replace_links(appointment, actor) for appointment in appointments)


def _lock_appointments_with_links(client: Client) -> list[Appointment]:
    """Lock the appointments whose manage links work, past and cancelled ones included, and their staff first."""
    with_links = client.appointments.filter(ends_at__gt=timezone.now() - PRIVATE_LINKS_LAST)
    staff = StaffMember.objects.filter(pk__in=with_links.values("staff")).select_related("organization")
    people = lock_people(*staff)
    locked = with_links.with_details().select_for_update(no_key=True, of=("self",)).order_by("pk")
    appointments = list(locked)
    if any(appointment.staff_id not in people for appointment in appointments):
        raise ChangedMeanwhile(_("An appointment of this client was changed meanwhile. Save again."))
    return appointments


def _replace_links(appointment: Appointment, actor: StaffMember) -> bool:
    """Replace the client's links. Return whether the appointment is upcoming, so that the client gets an email."""
    appointment.manage_token, appointment.join_token = new_token(), new_token()
    # A repeated submit of the booking form would lead its sender to the new links.
    appointment.request_key = None
    is_upcoming = appointment.status in LIVE_STATUSES and appointment.ends_at > timezone.now()
    appointment.version += is_upcoming
    appointment.save(update_fields=["manage_token", "join_token", "request_key", "version"])
    if is_upcoming:
        replaced = Fact(AppointmentEventKind.PRIVATE_LINKS_REPLACED)
        record_event(appointment, replaced, actor=actor, through=BookedThrough.SCHEDULE)
        notify_new_address(appointment)
    return is_upcoming

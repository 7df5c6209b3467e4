"""Local times after an update of the time zone rules.

Governments change the rules of their zones, sometimes weeks ahead. An appointment booked for 09:00 then happens at
another local time, because `starts_at` is an instant. Such appointments are found after each update of `tzdata`. An
admin decides whether they keep their local time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.audit import LOCAL_TIMES_RESTORED
from appointments.booking_rules.errors import BookingError
from appointments.changes.move import MOVABLE, move_appointment
from appointments.models import Appointment, AppointmentQuerySet, BookedThrough, ZoneRulesCheck
from coconut.isolation import isolated
from coconut.leases import only_worker
from coconut.task_queue import enqueue_once_on_commit
from staff.audit_log.record import record
from staff.models import Organization, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email

RESTORE_TASK: Final = "appointments.restore_local_times"
#: Seconds after which a run starts no other appointment. The next run continues.
RUN_SECONDS: Final = 30
_UPDATED_AT_ONCE: Final = 1000


def rules_version() -> str:
    """Return the version of the time zone rules in use, such as "2026.6"."""
    return version("tzdata")


def moved_by_zone_rules(organization: Organization) -> AppointmentQuerySet:
    """Return the organisation's upcoming appointments at another local time than booked, by start."""
    flagged = Appointment.objects.filter(organization=organization, moved_by_zone_rules=True, status__in=MOVABLE)
    return flagged.filter(starts_at__gt=timezone.now()).order_by("starts_at", "pk")


# --- Find -------------------------------------------------------------------------------------------
def check_local_times() -> int:
    """Check the organisations that weren't checked under the present rules. Return the number of them."""
    current = ZoneRulesCheck.objects.filter(organization=OuterRef("pk"), rules_version=rules_version())
    unchecked = list(Organization.objects.exclude(Exists(current)))
    for organization in unchecked:
        with isolated(f"Checking the local times of organisation {organization.pk}"):
            _check_organization(organization)
    return len(unchecked)


def _check_organization(organization: Organization) -> None:
    """Flag the appointments that moved, and email the admins if there are any."""
    moved = _ids_of_moved(organization)
    with transaction.atomic():
        Appointment.objects.filter(organization=organization, moved_by_zone_rules=True).exclude(pk__in=moved).update(
            moved_by_zone_rules=False
        )
        for start in range(0, len(moved), _UPDATED_AT_ONCE):
            part = moved[start : start + _UPDATED_AT_ONCE]
            Appointment.objects.filter(pk__in=part).update(moved_by_zone_rules=True)
        ZoneRulesCheck.objects.update_or_create(
            organization=organization, defaults={"rules_version": rules_version(), "checked_at": Now()}
        )
        if moved:
            _email_admins(organization)


def _ids_of_moved(organization: Organization) -> list[int]:
    upcoming = Appointment.objects.filter(
        organization=organization, status__in=MOVABLE, starts_at__gt=timezone.now(), local_start__isnull=False
    )
    rows = upcoming.order_by().values_list("pk", "starts_at", "local_start", "local_zone")
    # Compared here instead of in the database, which has time zone rules of its own.
    return [
        pk
        for pk, starts_at, local_start, zone in rows.iterator()
        if starts_at.astimezone(zone).replace(tzinfo=None) != local_start
    ]


# --- Restore ----------------------------------------------------------------------------------------
def request_local_times(organization: Organization, actor: StaffMember) -> None:
    """Have a worker move the appointments back to their local times, and notify clients and staff."""
    with transaction.atomic():
        count = moved_by_zone_rules(organization).count()
        ZoneRulesCheck.objects.filter(organization=organization).update(requested_at=Now(), requested_by=actor)
        record(LOCAL_TIMES_RESTORED, organization, name=organization.name, params={"count": count})
        enqueue_once_on_commit(RESTORE_TASK)


def is_restoring(organization: Organization) -> bool:
    """Return whether a worker has yet to restore requested local times."""
    return ZoneRulesCheck.objects.filter(organization=organization, requested_at__isnull=False).exists()


def restore_local_times() -> int:
    """Restore the requested local times until RUN_SECONDS have passed. Return the number of moved appointments.

    What can't be moved, such as to a time that is taken now, stays listed for a person to decide.
    """
    restored, until = 0, time.monotonic() + RUN_SECONDS
    with only_worker("restore-local-times") as is_only_worker:
        requested = ZoneRulesCheck.objects.filter(requested_at__isnull=False) if is_only_worker else []
        for check in requested:
            restored += _restore_organization(check, until)
    return restored


def _restore_organization(check: ZoneRulesCheck, until: float) -> int:
    restored = 0
    appointments = moved_by_zone_rules(check.organization).with_details()
    for appointment in _in_order_of_restoring(appointments):
        if time.monotonic() >= until:
            return restored
        with isolated(f"Restoring the local time of appointment {appointment.pk}"):
            restored += _restore(appointment, check.requested_by)
    ZoneRulesCheck.objects.filter(pk=check.pk, requested_at=check.requested_at).update(requested_at=None)
    return restored


def _in_order_of_restoring(appointments: Iterable[Appointment]) -> list[Appointment]:
    """Return the appointments in an order in which each frees the time of the next.

    Those that become earlier start with the first one, those that become later with the last one.
    """
    pairs = [(appointment, appointment.promised_start) for appointment in appointments]
    earlier = [appointment for appointment, start in pairs if start and start < appointment.starts_at]
    later = [appointment for appointment, start in pairs if start and start > appointment.starts_at]
    return [*earlier, *reversed(later)]


def _restore(appointment: Appointment, actor: StaffMember | None) -> bool:
    """Return False if the appointment can't have its local time, or was changed meanwhile."""
    start = appointment.promised_start
    if start is None:
        return False
    try:
        move_appointment(
            appointment,
            starts_at=start,
            actor=actor,
            through=BookedThrough.SCHEDULE,
            outside_hours=True,
            version=appointment.version,
        )
    except BookingError:
        return False
    return True


# --- Email ------------------------------------------------------------------------------------------
def _email_admins(organization: Organization) -> None:
    admins = StaffMember.objects.admins_of(organization).values_list("email", flat=True)
    enqueue_email(LOCAL_TIMES_EMAIL, to=admins, organization=organization)


def _render_email(email: OutboxEmail) -> EmailMessage | None:
    """Return the message, or None if the admins have decided meanwhile."""
    count = moved_by_zone_rules(email.organization).count() if email.organization else 0
    if not count:
        return None
    sentence = ngettext(
        "%(count)d upcoming appointment is at another local time than booked, because the rules of a time zone "
        "changed.",
        "%(count)d upcoming appointments are at another local time than booked, because the rules of a time zone "
        "changed.",
        count,
    )
    lines = [
        sentence % {"count": count},
        _("Clients come at the time that we told them. Decide whether the appointments keep it:"),
        f"{settings.BASE_URL}{reverse('local-times')}",
    ]
    return EmailMessage(subject=_("Appointments moved by new time zone rules"), body="\n\n".join(lines))


LOCAL_TIMES_EMAIL: Final = EmailKind("local_times", _render_email)

"""Row locks that every change of an appointment takes, in one order: staff members by pk, then the appointment."""

from __future__ import annotations

from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError, ChangedMeanwhile, StaffUnavailable
from appointments.booking_rules.validation import check_same_organization
from appointments.models import Appointment, BookedThrough, Client
from appointments.timeline import event_text, last_change
from staff.models import StaffMember


def lock_staff(staff: StaffMember) -> StaffMember:
    """Lock the staff member's row, as edits of hours and time off do, and return its current state."""
    return lock_people(staff)[staff.pk]


def lock_people(*people: StaffMember) -> dict[int, StaffMember]:
    """Lock these staff members' rows in the order of their pk, and return their current state by pk."""
    rows = StaffMember.objects.select_for_update(no_key=True, of=("self",)).select_related("location")
    by_pk = {row.pk: row for row in rows.filter(pk__in={member.pk for member in people}).order_by("pk")}
    for member in people:
        if member.pk not in by_pk:
            raise StaffUnavailable(_("This staff member no longer exists. Choose someone else."))
        by_pk[member.pk].organization = member.organization
    return by_pk


def lock_client(client: Client) -> Client:
    """Lock the client's row, as an erasure or a merge does, and return the client.

    If the client was merged into another one meanwhile, return that one. Raises BookingError if the client was erased.
    """
    if Client.objects.select_for_update(no_key=True).filter(pk=client.pk).exists():
        return client
    kept = Client.objects.filter(merged_clients=client.pk).select_related("organization").first()
    if kept is None:
        raise BookingError(_("This client’s data was erased. Choose another client, or add one."), "client")
    return lock_client(kept)


def lock_appointment(appointment: Appointment, actor: StaffMember | None) -> Appointment:
    """Lock the appointment after its staff member, and return its current state.

    Raises ChangedMeanwhile if another staff member than the locked one has it now, and BookingError if the client was
    erased: a note or a reason could bring the data back.
    """
    check_same_organization(appointment.organization, {"": actor})
    current = Appointment.objects.select_for_update(no_key=True, of=("self",)).with_details().get(pk=appointment.pk)
    if current.staff_id != appointment.staff_id:
        raise ChangedMeanwhile(_last_change_sentence(current))
    # Read after the lock: the joined row would show its state from before the wait.
    if not Client.objects.filter(pk=current.client_id).exists():
        raise BookingError(_("The client’s data was erased, so this appointment can’t change any more."))
    return current


def check_version(current: Appointment, version: int | None) -> None:
    """Check that the user has seen the current version; None skips the check.

    Raises ChangedMeanwhile with the last change and who made it.
    """
    if version not in (None, current.version):
        raise ChangedMeanwhile(_last_change_sentence(current))


def _last_change_sentence(appointment: Appointment) -> str:
    change = last_change(appointment)
    if change is None:
        return _("This appointment was changed meanwhile. Look at it again.")
    params = {"name": change.actor.name if change.actor else "", "what": event_text(change)}
    if change.actor:
        return _("%(name)s changed this appointment meanwhile: %(what)s Look at it again.") % params
    if change.through == BookedThrough.CLIENT_VIEW:
        return _("The client changed this appointment meanwhile: %(what)s Look at it again.") % params
    return _("This appointment was changed meanwhile: %(what)s Look at it again.") % params

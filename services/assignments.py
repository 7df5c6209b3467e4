"""Assignment of staff members to services.

New assignments are inserted one by one, so that receivers of `post_save` learn of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from services.audit import SERVICE_ASSIGNED, SERVICE_UNASSIGNED, record_assignments
from services.models import Service, ServiceAssignment
from staff.models import Organization, StaffMember
from staff.planned_changes import Cause, PlannedChange


def with_provides(people: QuerySet[StaffMember], service: Service) -> QuerySet[StaffMember]:
    """Annotate each staff member with `provides`: whether they provide the service."""
    return people.annotate(provides=Exists(ServiceAssignment.objects.filter(service=service, staff=OuterRef("pk"))))


def set_providers(
    service: Service, *, among: Iterable[StaffMember], provided_by: Iterable[StaffMember]
) -> list[PlannedChange]:
    """Assign exactly `provided_by` of the staff members `among`. Other assignments stay as they are.

    Return what that takes away from booked appointments.
    """
    people = {person.pk: person for person in among}
    wanted = people.keys() & {person.pk for person in provided_by}
    with transaction.atomic():
        present = _lock_assignments(service.assignments.filter(staff__in=people))
        assigned = {assignment.staff_id for assignment in present}
        removed = [assignment for assignment in present if assignment.staff_id not in wanted]
        _remove(removed)
        _add((people[pk], service) for pk in sorted(wanted - assigned))
    return [_no_longer_assigned(service.organization, removed)] if removed else []


def set_services(person: StaffMember, services: Iterable[Service]) -> list[PlannedChange]:
    """Assign the staff member to exactly these services. Return what that takes away from booked appointments."""
    wanted = {service.pk: service for service in services}
    with transaction.atomic():
        present = _lock_assignments(person.assignments.all())
        assigned = {assignment.service_id for assignment in present}
        removed = [assignment for assignment in present if assignment.service_id not in wanted]
        _remove(removed)
        _add((person, wanted[pk]) for pk in sorted(wanted.keys() - assigned))
    return [_no_longer_assigned(person.organization, removed)] if removed else []


def _lock_assignments(assignments: QuerySet[ServiceAssignment]) -> list[ServiceAssignment]:
    """Return the assignments, locked, so that no one else removes them and records it, too."""
    rows = assignments.select_related("staff", "service").order_by("pk")
    # Bookings hold the lock of their staff member: an assignment that one relies on goes after its commit.
    people = StaffMember.objects.filter(pk__in=assignments.order_by().values("staff")).order_by("pk")
    list(people.select_for_update(no_key=True).values_list("pk"))
    return list(rows.select_for_update(of=("self",)))


def _no_longer_assigned(organization: Organization | None, removed: Sequence[ServiceAssignment]) -> PlannedChange:
    return PlannedChange(
        organization,
        Cause.NOT_ASSIGNED,
        people=tuple({assignment.staff_id for assignment in removed}),
        services=tuple({assignment.service_id for assignment in removed}),
    )


def _remove(assignments: Sequence[ServiceAssignment]) -> None:
    ServiceAssignment.objects.filter(pk__in=[assignment.pk for assignment in assignments]).delete()
    removed = ((assignment.staff, assignment.service) for assignment in assignments)
    record_assignments(SERVICE_UNASSIGNED, removed)


def _add(pairs: Iterable[tuple[StaffMember, Service]]) -> None:
    added = [
        (person, service)
        for person, service in pairs
        if ServiceAssignment.objects.get_or_create(staff=person, service=service)[1]
    ]
    record_assignments(SERVICE_ASSIGNED, added)

"""Assignment of staff members to services.

New assignments are inserted one by one, so that receivers of `post_save` learn of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from services.audit import SERVICE_ASSIGNED, SERVICE_UNASSIGNED, record_assignments
from services.models import Service, ServiceAssignment
from staff.models import StaffMember


def with_provides(people: QuerySet[StaffMember], service: Service) -> QuerySet[StaffMember]:
    """Annotate each staff member with `provides`: whether they provide the service."""
    return people.annotate(provides=Exists(ServiceAssignment.objects.filter(service=service, staff=OuterRef("pk"))))


def set_providers(service: Service, *, among: Iterable[StaffMember], provided_by: Iterable[StaffMember]) -> None:
    """Assign exactly `provided_by` of the staff members `among`. Other assignments stay as they are."""
    people = {person.pk: person for person in among}
    wanted = people.keys() & {person.pk for person in provided_by}
    with transaction.atomic():
        present = _lock_assignments(service.assignments.filter(staff__in=people))
        assigned = {assignment.staff_id for assignment in present}
        _remove([assignment for assignment in present if assignment.staff_id not in wanted])
        _add((people[pk], service) for pk in sorted(wanted - assigned))


def set_services(person: StaffMember, services: Iterable[Service]) -> None:
    """Assign the staff member to exactly these services."""
    wanted = {service.pk: service for service in services}
    with transaction.atomic():
        present = _lock_assignments(person.assignments.all())
        assigned = {assignment.service_id for assignment in present}
        _remove([assignment for assignment in present if assignment.service_id not in wanted])
        _add((person, wanted[pk]) for pk in sorted(wanted.keys() - assigned))


def _lock_assignments(assignments: QuerySet[ServiceAssignment]) -> list[ServiceAssignment]:
    """Return the assignments, locked, so that no one else removes them and records it, too."""
    rows = assignments.select_related("staff", "service").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


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

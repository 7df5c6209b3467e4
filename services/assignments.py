"""Who provides which service.

Assignments are made one by one, so that `post_save` of ServiceAssignment tells who was newly assigned.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from services.models import Service, ServiceAssignment
from staff.models import StaffMember


def with_provides(people: QuerySet[StaffMember], service: Service) -> QuerySet[StaffMember]:
    """Add `provides` to each person: whether they provide the service."""
    return people.annotate(
        provides=Exists(ServiceAssignment.objects.filter(service=service, staff=OuterRef("pk")))
    )


def set_providers(
    service: Service, *, among: Iterable[StaffMember], provided_by: Iterable[StaffMember]
) -> None:
    """Of the people `among`, exactly `provided_by` provide the service; everybody else stays as they are."""
    wanted = {person.pk for person in provided_by}
    asked = {person.pk for person in among}
    with transaction.atomic():
        service.assignments.filter(staff__in=asked - wanted).delete()
        present = set(service.assignments.filter(staff__in=asked).values_list("staff_id", flat=True))
        for staff_id in sorted((asked & wanted) - present):
            ServiceAssignment.objects.get_or_create(service=service, staff_id=staff_id)


def set_services(person: StaffMember, services: Iterable[Service]) -> None:
    """The person provides exactly these services."""
    wanted = {service.pk for service in services}
    with transaction.atomic():
        person.assignments.exclude(service__in=wanted).delete()
        present = set(person.assignments.values_list("service_id", flat=True))
        for service_id in sorted(wanted - present):
            ServiceAssignment.objects.get_or_create(staff=person, service_id=service_id)

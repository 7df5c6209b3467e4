"""Assignment of staff members to services.

New assignments are inserted one by one, so that receivers of `post_save` learn of each.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from services.models import Service, ServiceAssignment
from staff.models import StaffMember


def with_provides(people: QuerySet[StaffMember], service: Service) -> QuerySet[StaffMember]:
    """Annotate each staff member with `provides`: whether they provide the service."""
    return people.annotate(provides=Exists(ServiceAssignment.objects.filter(service=service, staff=OuterRef("pk"))))


def set_providers(service: Service, *, among: Iterable[StaffMember], provided_by: Iterable[StaffMember]) -> None:
    """Assign exactly `provided_by` of the staff members `among`. Other assignments stay as they are."""
    wanted = {person.pk for person in provided_by}
    shown = {person.pk for person in among}
    with transaction.atomic():
        service.assignments.filter(staff__in=shown - wanted).delete()
        present = set(service.assignments.filter(staff__in=shown).values_list("staff_id", flat=True))
        for staff_id in sorted((shown & wanted) - present):
            ServiceAssignment.objects.get_or_create(service=service, staff_id=staff_id)


def set_services(person: StaffMember, services: Iterable[Service]) -> None:
    """Assign the staff member to exactly these services."""
    wanted = {service.pk for service in services}
    with transaction.atomic():
        person.assignments.exclude(service__in=wanted).delete()
        present = set(person.assignments.values_list("service_id", flat=True))
        for service_id in sorted(wanted - present):
            ServiceAssignment.objects.get_or_create(staff=person, service_id=service_id)

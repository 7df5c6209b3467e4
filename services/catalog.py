"""Queries for the list of services and the pages of a service."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404

from services.audit import record_new_service, record_service_changes
from services.models import Service, ServiceAssignment
from staff.models import Organization, StaffMember
from staff.pagination import has_words


def service_or_404(organization: Organization, pk: int) -> Service:
    """Return a service of the organisation. Raises Http404 for any other id."""
    return get_object_or_404(organization.services, pk=pk)


def search(services: QuerySet[Service], *, words: str = "", active: bool | None = None) -> QuerySet[Service]:
    """Return the services whose name or category contains every word, and that are active or not."""
    services = services.filter(has_words(words, "name", "category"))
    return services if active is None else services.filter(active=active)


def with_list_columns(services: QuerySet[Service]) -> QuerySet[Service]:
    """Add the meeting methods, and `people_count`: the number of active staff members who provide each service."""
    providers = (
        ServiceAssignment.objects.filter(service=OuterRef("pk"), staff__in=StaffMember.objects.active())
        .order_by()
        .values("service")
        .annotate(people=Count("pk"))
        .values("people")
    )
    count = Coalesce(Subquery(providers, output_field=IntegerField()), 0)
    return services.prefetch_related("meeting_methods").annotate(people_count=count)


def save_service(service: Service, fields: Sequence[str]) -> None:
    """Insert a new service, or update only `fields` of an existing one.

    Raises IntegrityError if the name was taken meanwhile.
    """
    with transaction.atomic():
        if service.pk is None:
            service.save()
            record_new_service(service, fields)
            return
        before = Service.objects.lock(service.pk)
        service.save(update_fields=fields)
        record_service_changes(before, service, fields)


def categories_of(organization: Organization) -> list[str]:
    """Return the categories in use, in alphabetical order."""
    names = organization.services.exclude(category="").order_by("category")
    return list(names.values_list("category", flat=True).distinct())

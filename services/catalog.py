"""The services of an organisation, as lists and pages need them."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404

from services.models import Service, ServiceAssignment
from staff.models import Organization
from staff.pagination import has_words


def service_or_404(organization: Organization, pk: int) -> Service:
    """One service of the organisation. Http404 for anybody else's id."""
    service = Service.objects.filter(organization=organization, pk=pk).first()
    if service is None:
        raise Http404
    return service


def by_category(organization: Organization) -> QuerySet[Service]:
    """All services of the organisation, category by category; those without one come last."""
    category = NullIf("category", Value("")).asc(nulls_last=True)
    return Service.objects.filter(organization=organization).order_by(category, "name")


def search(services: QuerySet[Service], *, words: str = "", active: bool | None = None) -> QuerySet[Service]:
    """Narrow the services down; every word must be in the name or category."""
    services = services.filter(has_words(words, "name", "category"))
    return services if active is None else services.filter(active=active)


def with_list_columns(services: QuerySet[Service]) -> QuerySet[Service]:
    """Add the meeting methods and `people_count`, the number of active people who provide each."""
    providers = (
        ServiceAssignment.objects.filter(service=OuterRef("pk"), staff__is_active=True)
        .order_by()
        .values("service")
        .annotate(people=Count("pk"))
        .values("people")
    )
    count = Coalesce(Subquery(providers, output_field=IntegerField()), 0)
    return services.prefetch_related("meeting_methods").annotate(people_count=count)


def categories_of(organization: Organization) -> list[str]:
    """The categories in use, A to Z."""
    names = Service.objects.filter(organization=organization).exclude(category="").order_by("category")
    return list(names.values_list("category", flat=True).distinct())

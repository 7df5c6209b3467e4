"""The product's addresses, and the yardstick: a view that does nothing, and one that stores one row."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from appointments.models import Client


@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    """Nothing but the middleware."""
    return HttpResponse("ok")


@csrf_exempt
@login_not_required
def insert(request: HttpRequest, organization: int) -> HttpResponse:
    """One row in one statement, without a session."""
    client = Client.objects.create(organization_id=organization, name="Somebody")
    return HttpResponse(str(client.pk))


urlpatterns = [
    path("bench/bare/", bare),
    path("bench/insert/<int:organization>/", insert),
    path("", include("coconut.urls")),
]

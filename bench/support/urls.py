"""The product's URLs, and two views to compare with: one does nothing, one inserts a row."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from appointments.models import Client


@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    """Run only the middleware."""
    return HttpResponse("ok")


@csrf_exempt
@login_not_required
def insert(request: HttpRequest, organization: int) -> HttpResponse:
    """Insert one row with one statement, without a session."""
    client = Client.objects.create(organization_id=organization, name="Client")
    return HttpResponse(str(client.pk))


urlpatterns = [
    path("bench/bare/", bare),
    path("bench/insert/<int:organization>/", insert),
    path("", include("coconut.urls")),
]

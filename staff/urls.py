"""Pages of the staff floor, under /staff/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("", _later, name="staff-list"),
    path("add/", _later, name="staff-add"),
    path("<int:pk>/", _later, name="staff-edit"),
    path("<int:pk>/hours/", _later, name="staff-hours"),
]

"""Pages of the services floor, under /services/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("", _later, name="service-list"),
    path("add/", _later, name="service-add"),
    path("<int:pk>/", _later, name="service-edit"),
    path("<int:pk>/more/", _later, name="service-more"),
    path("<int:pk>/staff/", _later, name="service-staff"),
]

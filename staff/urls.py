"""Pages of the staff floor, under /staff/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from staff.views import people


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("", people.people, name="staff-list"),
    path("add/", people.add_person, name="staff-add"),
    path("<int:pk>/", people.edit_person, name="staff-edit"),
    path("<int:pk>/hours/", _later, name="staff-hours"),
]

"""Schedule, clients, and the pages behind private links."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int | str) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("schedule/", _later, name="schedule"),
    path("schedule/appointments/add/", _later, name="appointment-add"),
    path("schedule/appointments/<int:pk>/", _later, name="appointment"),
    path("schedule/appointments/<int:pk>/move/", _later, name="appointment-move"),
    path("schedule/appointments/<int:pk>/cancel/", _later, name="appointment-cancel"),
    path("schedule/appointments/<int:pk>/link/", _later, name="appointment-link"),
    path("clients/", _later, name="client-list"),
    path("clients/add/", _later, name="client-add"),
    path("clients/<int:pk>/", _later, name="client-edit"),
    path("appointments/<str:token>/", _later, name="manage-appointment"),
    path("join/<str:token>", _later, name="join"),
]

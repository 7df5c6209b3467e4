"""Settings and its Video Calls pages, under /settings/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("", _later, name="settings"),
    path("video-calls/", _later, name="video-calls"),
    path("video-calls/new/", _later, name="video-calls-new"),
    path("video-calls/<int:pk>/", _later, name="connection"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/", _later, name="connection-toggle"),
    path("video-calls/<int:pk>/users/", _later, name="connection-bulk"),
]

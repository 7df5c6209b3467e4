"""The connect wizard and the way back from Microsoft, under /settings/video-calls/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("new/teams/", _later, name="teams-connect"),
    path("new/teams/tenant/", _later, name="teams-tenant"),
    path("teams/callback/", _later, name="teams-callback"),
]

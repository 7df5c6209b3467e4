"""Pages of this floor about one staff member, under /staff/."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _later(request: HttpRequest, **kwargs: int) -> HttpResponse:
    raise Http404


urlpatterns = [path("<int:pk>/profile/", _later, name="staff-profile")]

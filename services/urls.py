"""URLs under /services/."""

from django.urls import path

from services.views import assignments, catalog

urlpatterns = [
    path("", catalog.service_list, name="service-list"),
    path("add/", catalog.add_service, name="service-add"),
    path("<int:pk>/", catalog.edit_service, name="service-edit"),
    path("<int:pk>/more/", catalog.more, name="service-more"),
    path("<int:pk>/staff/", assignments.providers, name="service-staff"),
]

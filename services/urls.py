"""Pages of the services floor, under /services/."""

from django.urls import path

from services.views import assignments, services

urlpatterns = [
    path("", services.services, name="service-list"),
    path("add/", services.add_service, name="service-add"),
    path("<int:pk>/", services.edit_service, name="service-edit"),
    path("<int:pk>/more/", services.more, name="service-more"),
    path("<int:pk>/staff/", assignments.providers, name="service-staff"),
]

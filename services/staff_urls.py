"""URLs of a staff member's services, under /staff/."""

from django.urls import path

from services.views import assignments

urlpatterns = [
    path("<int:pk>/services/", assignments.services_of_person, name="staff-services"),
    path("<int:pk>/services/locations/", assignments.places_of_services, name="staff-service-places"),
]

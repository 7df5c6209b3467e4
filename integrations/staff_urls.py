"""Video pages of one staff member, under /staff/."""

from django.urls import path

from integrations.views.profile import profile

urlpatterns = [path("<int:pk>/profile/", profile, name="staff-profile")]

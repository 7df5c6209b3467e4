"""Pages of this floor about one staff member, under /staff/."""

from django.urls import path

from integrations import views

urlpatterns = [path("<int:pk>/profile/", views.profile, name="staff-profile")]

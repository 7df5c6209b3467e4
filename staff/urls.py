"""Pages of the staff floor, under /staff/."""

from django.urls import path

from staff.views import hours, passwords, people

urlpatterns = [
    path("", people.people, name="staff-list"),
    path("add/", people.add_person, name="staff-add"),
    path("<int:pk>/", people.edit_person, name="staff-edit"),
    path("<int:pk>/invite/", passwords.invite, name="staff-invite"),
    path("<int:pk>/hours/", hours.hours, name="staff-hours"),
    path("<int:pk>/time-off/", hours.time_off, name="staff-time-off"),
    path("<int:pk>/time-off/<int:time_off_pk>/remove/", hours.time_off_remove, name="staff-time-off-remove"),
]

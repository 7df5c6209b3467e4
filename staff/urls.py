"""URLs under /staff/, /sessions/, /password/ and /brand/, and the settings of organisations."""

from django.urls import path

from staff.views import (
    branding,
    closings,
    email_events,
    exceptions,
    hours,
    locations,
    organization,
    passwords,
    people,
    sessions,
)

urlpatterns = [
    path("staff/", people.staff_list, name="staff-list"),
    path("staff/add/", people.add_person, name="staff-add"),
    path("staff/<int:pk>/", people.edit_person, name="staff-edit"),
    path("staff/<int:pk>/invite/", passwords.invite, name="staff-invite"),
    path("staff/<int:pk>/hours/", hours.hours, name="staff-hours"),
    path("staff/<int:pk>/time-off/", hours.time_off, name="staff-time-off"),
    path(
        "staff/<int:pk>/time-off/<int:time_off_pk>/remove/",
        hours.time_off_remove,
        name="staff-time-off-remove",
    ),
    path("staff/<int:pk>/hours/from/<str:day>/remove/", hours.future_hours_remove, name="staff-future-hours-remove"),
    path("staff/<int:pk>/exceptions/", exceptions.exception_add, name="staff-exceptions"),
    path("staff/<int:pk>/exceptions/<int:override_pk>/", exceptions.exception_edit, name="staff-exception-edit"),
    path(
        "staff/<int:pk>/exceptions/<int:override_pk>/remove/",
        exceptions.exception_remove,
        name="staff-exception-remove",
    ),
    path("settings/closings/", closings.closings, name="closings"),
    path("settings/closings/<int:pk>/", closings.closing_edit, name="closing-edit"),
    path("settings/closings/<int:pk>/remove/", closings.closing_remove, name="closing-remove"),
    path("settings/closings/locations/<int:pk>/holidays/", closings.holidays, name="location-holidays"),
    path("settings/organisation/", organization.organization_settings, name="organization-settings"),
    path("settings/organisation/logo/", organization.organization_logo, name="organization-logo"),
    path("settings/locations/", locations.location_list, name="location-list"),
    path("settings/locations/add/", locations.add_location, name="location-add"),
    path("settings/locations/<int:pk>/", locations.edit_location, name="location-edit"),
    path("settings/locations/<int:pk>/hours/", locations.location_hours, name="location-hours"),
    path(
        "settings/locations/<int:pk>/hours/from/<str:day>/remove/",
        locations.future_hours_remove,
        name="location-future-hours-remove",
    ),
    path("brand/<slug:slug>/<slug:digest>.png", branding.brand_logo, name="brand-logo"),
    path("brand/<slug:digits>.css", branding.brand_styles, name="brand-styles"),
    path("email-events/", email_events.email_events, name="email-events"),
    path("sessions/end/", sessions.sign_out_everywhere, name="sign-out-everywhere"),
    path("password/change/", sessions.ChangePassword.as_view(), name="password-change"),
    path("password/forgotten/", passwords.ForgottenPassword.as_view(), name="password-forgotten"),
    path("password/set/<uidb64>/<token>/", passwords.SetPassword.as_view(), name="password-set"),
    path("password/invitation/<uidb64>/<token>/", passwords.AcceptInvitation.as_view(), name="password-invitation"),
]

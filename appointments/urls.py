"""Schedule, clients, and the pages behind private links."""

from django.urls import include, path

from appointments.views import (
    appointments,
    booking,
    booking_request,
    changes,
    client_view,
    client_view_settings,
    clients,
    contact_center,
    drag_and_drop,
    local_times,
    privacy,
    private_links,
    schedule,
    switch_service,
    video_links,
)

_one_appointment = [
    path("", appointments.appointment_details, name="appointment"),
    path("news/", appointments.appointment_updates, name="appointment-news"),
    path("link/", appointments.appointment_link, name="appointment-link"),
    path("try-again/", appointments.appointment_try_again, name="appointment-try-again"),
    path("status/", appointments.appointment_status, name="appointment-status"),
    path("notes/", appointments.appointment_notes, name="appointment-notes"),
    path("drag/", drag_and_drop.appointment_drag, name="appointment-drag"),
    path("move/", changes.appointment_move, name="appointment-move"),
    path("reassign/", changes.appointment_reassign, name="appointment-reassign"),
    path("method/", changes.appointment_method, name="appointment-method"),
    path("mails/<int:email>/again/", appointments.appointment_email_again, name="appointment-mail-again"),
    path("cancel/", changes.appointment_cancel, name="appointment-cancel"),
]
_private_link = [
    path("", private_links.manage, name="manage-appointment"),
    path("move/", private_links.manage_move, name="manage-move"),
    path("cancel/", private_links.manage_cancel, name="manage-cancel"),
    path("appointment.ics", private_links.calendar_file, name="manage-calendar"),
]
urlpatterns = [
    path("schedule/", schedule.schedule, name="schedule"),
    path("schedule/events/", schedule.schedule_events, name="schedule-events"),
    path("schedule/appointments/add/", booking.appointment_add, name="appointment-add"),
    path("schedule/appointments/<int:pk>/", include(_one_appointment)),
    path("contact-center/", contact_center.contact_center, name="contact-center"),
    path("contact-center/book/", booking_request.book, name="contact-center-book"),
    path("contact-center/booked/<int:pk>/", contact_center.contact_center_booked, name="contact-center-booked"),
    path("settings/client-view/", client_view_settings.client_view_settings, name="client-view-settings"),
    path("settings/time-zones/", local_times.local_times, name="local-times"),
    path("settings/privacy/", privacy.privacy_settings, name="privacy-settings"),
    path("settings/video-calls/links/", video_links.video_links, name="video-links"),
    path("services/<int:pk>/video-calls/", switch_service.service_to_video, name="service-to-video"),
    path("clients/", clients.client_list, name="client-list"),
    path("clients/add/", clients.add_client, name="client-add"),
    path("clients/<int:pk>/", clients.edit_client, name="client-edit"),
    path("clients/<int:pk>/erase/", privacy.client_erase, name="client-erase"),
    path("clients/<int:pk>/export/", privacy.client_export, name="client-export"),
    path("book/<slug:slug>/", client_view.book, name="book"),
    path("book/<slug:slug>/booked/<str:reference>/", client_view.booked, name="book-booked"),
    path("book/<slug:slug>/slots/", client_view.book_slots, name="book-slots"),
    path("appointments/<str:token>/", include(_private_link)),
    path("join/<str:token>", private_links.join, name="join"),
]

"""Schedule, clients, and the pages behind private links."""

from django.urls import path

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
    private_links,
    schedule,
    switch_service,
    video_links,
)

urlpatterns = [
    path("schedule/", schedule.schedule, name="schedule"),
    path("schedule/events/", schedule.schedule_events, name="schedule-events"),
    path("schedule/appointments/add/", booking.appointment_add, name="appointment-add"),
    path("schedule/appointments/<int:pk>/", appointments.appointment, name="appointment"),
    path("schedule/appointments/<int:pk>/news/", appointments.appointment_news, name="appointment-news"),
    path("schedule/appointments/<int:pk>/link/", appointments.appointment_link, name="appointment-link"),
    path(
        "schedule/appointments/<int:pk>/try-again/",
        appointments.appointment_try_again,
        name="appointment-try-again",
    ),
    path("contact-center/", contact_center.contact_center, name="contact-center"),
    path(
        "contact-center/booked/<int:pk>/",
        contact_center.contact_center_booked,
        name="contact-center-booked",
    ),
    path(
        "schedule/appointments/<int:pk>/status/", appointments.appointment_status, name="appointment-status"
    ),
    path("schedule/appointments/<int:pk>/notes/", appointments.appointment_notes, name="appointment-notes"),
    path("schedule/appointments/<int:pk>/drag/", drag_and_drop.appointment_drag, name="appointment-drag"),
    path("schedule/appointments/<int:pk>/move/", changes.appointment_move, name="appointment-move"),
    path(
        "schedule/appointments/<int:pk>/reassign/", changes.appointment_reassign, name="appointment-reassign"
    ),
    path("schedule/appointments/<int:pk>/method/", changes.appointment_method, name="appointment-method"),
    path(
        "schedule/appointments/<int:pk>/mails/<int:mail>/again/",
        appointments.appointment_mail_again,
        name="appointment-mail-again",
    ),
    path("schedule/appointments/<int:pk>/cancel/", changes.appointment_cancel, name="appointment-cancel"),
    path("contact-center/book/", booking_request.book, name="contact-center-book"),
    path("settings/client-view/", client_view_settings.client_view_settings, name="client-view-settings"),
    path("settings/video-calls/links/", video_links.video_links, name="video-links"),
    path("services/<int:pk>/video-calls/", switch_service.service_to_video, name="service-to-video"),
    path("clients/", clients.client_list, name="client-list"),
    path("clients/add/", clients.add_client, name="client-add"),
    path("clients/<int:pk>/", clients.edit_client, name="client-edit"),
    path("book/<slug:slug>/", client_view.book, name="book"),
    path(
        "book/<slug:slug>/booked/<str:reference>/",
        client_view.booked,
        name="book-booked",
    ),
    path("book/<slug:slug>/slots/", client_view.book_slots, name="book-slots"),
    path(
        "appointments/<str:token>/",
        private_links.manage,
        name="manage-appointment",
    ),
    path(
        "appointments/<str:token>/move/",
        private_links.manage_move,
        name="manage-move",
    ),
    path(
        "appointments/<str:token>/cancel/",
        private_links.manage_cancel,
        name="manage-cancel",
    ),
    path(
        "appointments/<str:token>/appointment.ics",
        private_links.calendar_file,
        name="manage-calendar",
    ),
    path("join/<str:token>", private_links.join, name="join"),
]

"""Settings and its Video Calls pages, under /settings/."""

from django.urls import path

from integrations import views

urlpatterns = [
    path("", views.settings_page, name="settings"),
    path("video-calls/", views.video_calls, name="video-calls"),
    path("video-calls/new/", views.providers, name="video-calls-new"),
    path("video-calls/<int:pk>/", views.dashboard, name="connection"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/", views.toggle, name="connection-toggle"),
    path("video-calls/<int:pk>/users/", views.turn_many, name="connection-bulk"),
]

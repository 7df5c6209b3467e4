"""Settings and Video Calls pages, under /settings/."""

from django.urls import include, path

from integrations.platforms.registry import all_platforms
from integrations.views import (
    alias,
    connections,
    dashboard,
    defaults,
    disconnect,
    health,
    host_permission,
    match_field,
    rematch,
    video_calls_switch,
)

urlpatterns = [
    path("", connections.settings_page, name="settings"),
    path("video-calls/", connections.video_calls, name="video-calls"),
    path("video-calls/new/", connections.platforms, name="video-calls-new"),
    path("video-calls/all/", connections.all_connections, name="video-calls-all"),
    path("video-calls/<int:pk>/", dashboard.dashboard, name="connection"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/", video_calls_switch.toggle, name="connection-toggle"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/grant/", host_permission.granted, name="connection-grant"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/name/", alias.use_alias, name="connection-takeover"),
    path("video-calls/<int:pk>/users/unsettled/", host_permission.unsettled, name="connection-unsettled"),
    path("video-calls/<int:pk>/policy-script/", host_permission.script, name="connection-script"),
    path("video-calls/<int:pk>/users/", video_calls_switch.switch_many, name="connection-bulk"),
    path("video-calls/<int:pk>/users/undo/<int:event_pk>/", video_calls_switch.undo, name="connection-undo"),
    path("video-calls/<int:pk>/disconnect/", disconnect.disconnect, name="connection-disconnect"),
    path("video-calls/<int:pk>/reauthorize/", connections.reauthorize, name="connection-reauthorize"),
    path("video-calls/<int:pk>/default/", defaults.default, name="connection-default"),
    path("video-calls/<int:pk>/use-default/", defaults.use_default, name="connection-use-default"),
    path("video-calls/<int:pk>/name/", defaults.rename, name="connection-rename"),
    path("video-calls/<int:pk>/rematch/", rematch.rematch, name="connection-rematch"),
    path("video-calls/<int:pk>/rematch/progress/", rematch.rematch_progress, name="connection-rematch-progress"),
    path(
        "video-calls/<int:pk>/rematch/<int:run_pk>/failed/",
        rematch.rematch_failed,
        name="connection-rematch-failed",
    ),
    path(
        "video-calls/<int:pk>/rematch/<int:run_pk>/dismiss/",
        rematch.rematch_dismiss,
        name="connection-rematch-dismiss",
    ),
    path(
        "video-calls/<int:pk>/rematch/<int:run_pk>/changes.csv",
        rematch.rematch_changes,
        name="connection-rematch-changes",
    ),
    path("video-calls/<int:pk>/field/", match_field.choose, name="connection-field"),
    path("video-calls/<int:pk>/field/<int:run_pk>/", match_field.preview, name="connection-field-preview"),
    path("video-calls/<int:pk>/field/<int:run_pk>/change/", match_field.change, name="connection-field-change"),
    path("video-calls/<int:pk>/field/<int:run_pk>/cancel/", match_field.cancel, name="connection-field-cancel"),
    path("video-calls/<int:pk>/health/", health.health, name="connection-health"),
    path("video-calls/<int:pk>/health/check/", health.check, name="connection-check"),
    path("video-calls/<int:pk>/health/settings/", health.settings, name="connection-settings"),
    path("video-calls/<int:pk>/health/try-again/", health.try_again, name="connection-try-again"),
    *(path("video-calls/", include(platform.urlconf)) for platform in all_platforms()),
]

"""Settings and its Video Calls pages, under /settings/."""

from django.urls import path

from integrations.views import (
    connections,
    coverage,
    dashboard,
    disconnect,
    field,
    health,
    platform_choice,
    rematch,
    takeover,
    turning,
)

urlpatterns = [
    path("", connections.settings_page, name="settings"),
    path("video-calls/", connections.video_calls, name="video-calls"),
    path("video-calls/new/", connections.providers, name="video-calls-new"),
    path("video-calls/all/", connections.all_connections, name="video-calls-all"),
    path("video-calls/<int:pk>/", dashboard.dashboard, name="connection"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/", turning.toggle, name="connection-toggle"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/grant/", coverage.granted, name="connection-grant"),
    path("video-calls/<int:pk>/users/<int:staff_pk>/name/", takeover.takeover, name="connection-takeover"),
    path("video-calls/<int:pk>/users/unsettled/", coverage.unsettled, name="connection-unsettled"),
    path("video-calls/<int:pk>/policy-script/", coverage.script, name="connection-script"),
    path("video-calls/<int:pk>/users/", turning.turn_many, name="connection-bulk"),
    path("video-calls/<int:pk>/users/undo/<int:event_pk>/", turning.undo, name="connection-undo"),
    path("video-calls/<int:pk>/disconnect/", disconnect.disconnect, name="connection-disconnect"),
    path("video-calls/<int:pk>/reauthorize/", connections.reauthorize, name="connection-reauthorize"),
    path("video-calls/<int:pk>/default/", platform_choice.default, name="connection-default"),
    path("video-calls/<int:pk>/use-default/", platform_choice.use_default, name="connection-use-default"),
    path("video-calls/<int:pk>/name/", platform_choice.rename, name="connection-rename"),
    path("video-calls/<int:pk>/rematch/", rematch.rematch, name="connection-rematch"),
    path(
        "video-calls/<int:pk>/rematch/progress/", rematch.rematch_progress, name="connection-rematch-progress"
    ),
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
    path("video-calls/<int:pk>/field/", field.choose, name="connection-field"),
    path("video-calls/<int:pk>/field/<int:run_pk>/", field.preview, name="connection-field-preview"),
    path("video-calls/<int:pk>/field/<int:run_pk>/change/", field.change, name="connection-field-change"),
    path("video-calls/<int:pk>/field/<int:run_pk>/cancel/", field.cancel, name="connection-field-cancel"),
    path("video-calls/<int:pk>/health/", health.health, name="connection-health"),
    path("video-calls/<int:pk>/health/check/", health.check, name="connection-check"),
    path("video-calls/<int:pk>/health/settings/", health.settings, name="connection-settings"),
    path("video-calls/<int:pk>/health/try-again/", health.try_again, name="connection-try-again"),
]

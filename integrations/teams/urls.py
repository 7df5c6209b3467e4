"""The connect wizard and the way back from Microsoft, under /settings/video-calls/."""

from django.urls import path

from integrations.teams import views

urlpatterns = [
    path("new/teams/", views.connect, name="teams-connect"),
    path("new/teams/tenant/", views.tenant, name="teams-tenant"),
    path("teams/callback/", views.callback, name="teams-callback"),
]

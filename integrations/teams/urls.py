"""URLs of the connect wizard, requests, Reauthorize and Microsoft's callback, under /settings/video-calls/."""

from django.urls import path

from integrations.teams.views import callback, reauthorize, requests, wizard

urlpatterns = [
    path("new/teams/policy/", wizard.policy, name="teams-policy"),
    path("new/teams/service-account/", wizard.use_service_account, name="teams-service-account"),
    path("new/teams/", wizard.connect, name="teams-connect"),
    path("new/teams/tenant/", wizard.tenant, name="teams-tenant"),
    path("new/teams/again/<int:pk>/", wizard.reconnect, name="teams-again"),
    path("teams/opening/", callback.opening, name="teams-opening"),
    path("teams/callback/", callback.callback, name="teams-callback"),
    path("teams/waiting/", callback.waiting, name="teams-waiting"),
    path("teams/requests/<int:pk>/", requests.show, name="teams-request"),
    path("teams/requests/<int:pk>/cancel/", requests.cancel, name="teams-request-cancel"),
    path("teams/<int:pk>/new-account/", reauthorize.new_account, name="teams-new-account"),
    path("teams/<int:pk>/reauthorize/", reauthorize.reauthorize, name="teams-reauthorize"),
]

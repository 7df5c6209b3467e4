"""URLs of Entra, Graph, the control API, the tenant page and the meeting page.

Entra and Graph paths are Microsoft's own.
"""

from django.urls import path, re_path

from simulator import control_views, pages
from simulator.entra import admin_consent, authorize, discovery, federation, token_endpoint
from simulator.graph import views as graph_views

urlpatterns = [
    path("", pages.tenant_page, name="tenant"),
    path("tenant/<str:name>/", pages.run_control, name="run_control"),
    path("meet/<str:short_id>", pages.meeting_page),
    path("_control/state", control_views.show_state),
    path("_control/requests", control_views.request_log),
    path("_control/<str:name>", control_views.run_control),
    path("federation/", federation.federated_sign_in),
    path("common/discovery/instance", discovery.instance),
    re_path(r"^v1\.0/(?P<path>.*)$", graph_views.graph),
    path("<str:tenant>/v2.0/.well-known/openid-configuration", discovery.openid_configuration),
    path("<str:tenant>/discovery/v2.0/keys", discovery.keys),
    path("<str:tenant>/oauth2/v2.0/authorize", authorize.authorize),
    path("<str:tenant>/oauth2/v2.0/token", token_endpoint.token),
    path("<str:tenant>/oauth2/v2.0/logout", authorize.logout),
    path("<str:tenant>/v2.0/adminconsent", admin_consent.admin_consent),
    path("<str:tenant>/adminconsent", admin_consent.admin_consent, {"version": 1}),
]

"""URLs of the pages. Each app defines its own; `coconut.observability.probes` answers probes."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from coconut import views
from staff.sign_in.forms import SignInForm
from staff.views.sessions import ChangeOperatorPassword

handler500 = "coconut.web.error_pages.server_error"
urlpatterns = [
    path("", views.home, name="home"),
    path(
        "sign-in/",
        auth_views.LoginView.as_view(
            template_name="sign_in.html",
            authentication_form=SignInForm,
            redirect_authenticated_user=True,
        ),
        name="login",
    ),
    # A session that has ended already needs no sign-in first.
    path("sign-out/", login_not_required(auth_views.LogoutView.as_view()), name="logout"),
    path("", include("staff.urls")),
    path("staff/", include("services.staff_urls")),
    path("staff/", include("integrations.staff_urls")),
    path("services/", include("services.urls")),
    path("settings/", include("staff.audit_log.urls")),
    path("settings/", include("integrations.urls")),
    path("", include("appointments.urls")),
    # Instead of Django's own page, which neither limits attempts nor records the change.
    path(
        "operator/password_change/",
        admin.site.admin_view(ChangeOperatorPassword.as_view()),
        name="operator-password-change",
    ),
    path("operator/", admin.site.urls),
    path(".well-known/security.txt", views.security_txt, name="security-txt"),
]

"""Setting a password without having one, under /password/."""

from django.urls import path

from staff.views import passwords

urlpatterns = [
    path("forgotten/", passwords.ForgottenPassword.as_view(), name="password-forgotten"),
    path("set/<uidb64>/<token>/", passwords.SetPassword.as_view(), name="password-set"),
]

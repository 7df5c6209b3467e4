"""Pages about one's own sign-in: another password, and sign out everywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from staff.access import current_member
from staff.accounts.changes import record_new_password
from staff.audit_log.kinds import SIGNED_OUT_ELSEWHERE
from staff.audit_log.record import record
from staff.sessions.change_password import ChangePasswordForm
from staff.sessions.current import end_other_sessions, record_password
from staff.sign_in import known_devices
from staff.sign_in.limits import allow_new_password


class LimitedPasswordChange(auth_views.PasswordChangeView):
    """Base of the pages that ask for the present and the new password."""

    form_class = ChangePasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        """Save the password. This session stays, all others end."""
        with transaction.atomic():
            response = super().form_valid(form)
            record_new_password(form.user)
        record_password(self.request)
        end_other_sessions(self.request, form.user)
        allow_new_password(self.request, form.user.email)
        # The cookie of a known device depends on the password.
        known_devices.remember(self.request, form.user.email)
        messages.success(self.request, _("Your password is changed. You are signed out everywhere else."))
        return response


class ChangePassword(LimitedPasswordChange):
    """Page of the staff of an organisation."""

    template_name = "staff/change_password.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": current_member(self.request)}

    def get_success_url(self) -> str:
        return reverse("staff-profile", args=[current_member(self.request).pk])


class ChangeOperatorPassword(LimitedPasswordChange):
    """Page of operators, as part of Django admin."""

    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all other sessions of the signed-in staff member."""
    member = current_member(request)
    with transaction.atomic():
        end_other_sessions(request, member)
        record(SIGNED_OUT_ELSEWHERE, member)
    messages.success(request, _("You are signed out everywhere else. You stay signed in here."))
    return redirect("staff-profile", member.pk)

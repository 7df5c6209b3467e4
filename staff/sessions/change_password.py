"""Form for another password, which asks for the present one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staff.sessions.password_check import password_problem


class ChangePasswordForm(PasswordChangeForm):
    """Counts attempts at the present password as attempts to sign in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["old_password"].label = _("Current password")
        self.fields["new_password2"].label = _("Confirm new password")

    def clean_old_password(self) -> str:
        """Check the present password within the limits of sign-in."""
        password: str = self.cleaned_data["old_password"]
        if problem := password_problem(self.request, self.user, password):
            raise forms.ValidationError(problem)
        return password

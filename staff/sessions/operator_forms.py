"""Form of a staff account in Django admin, which asks the operator's password before sensitive changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UserChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staff.models import StaffMember
from staff.sessions.current import record_password
from staff.sessions.password_check import must_enter_password, password_problem


class StaffMemberChangeForm(UserChangeForm):  # type: ignore[type-arg]
    """Needs the operator's password for another email or role. Subclasses set the request."""

    request: HttpRequest
    current_password = forms.CharField(
        label=_("Your own password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Only needed if you change the email or the role. We ask again after 15 minutes."),
    )

    class Meta:
        model = StaffMember
        fields = ["email", "role"]  # Django admin adds the others

    def clean(self) -> dict[str, Any]:
        """Check the password if the change needs it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_sensitive = not {"email", "role"}.isdisjoint(self.changed_data)
        if is_sensitive and not self.errors and must_enter_password(self.request):
            self._check_password(cleaned.get("current_password", ""))
        return cleaned

    def _check_password(self, password: str) -> None:
        operator = self.request.user
        if not password:
            self.add_error("current_password", _("Enter your password to make this change."))
        elif isinstance(operator, StaffMember) and (problem := password_problem(self.request, operator, password)):
            self.add_error("current_password", problem)
        else:
            record_password(self.request)

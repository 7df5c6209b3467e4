"""Forms of the two sign-in pages, /sign-in/ and /operator/, with limits on attempts (`sign_in_limits`)."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from staff.audit_log.kinds import SIGN_IN_FAILED
from staff.audit_log.record import record
from staff.models import StaffMember
from staff.sign_in.limits import count_attempt, record_limited, record_success


class LimitedSignInForm(AuthenticationForm):
    """Checks no password after too many attempts."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt, then check the password."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not email or not password:
            return super().clean()
        if not count_attempt(self.request, email):
            record_limited(self.request, email)
            raise ValidationError(
                _("Too many attempts. Try again in 15 minutes or reset your password."), code="too_many"
            )
        cleaned = super().clean()
        record_success(self.request, email)
        return cleaned

    def confirm_login_allowed(self, user: StaffMember) -> None:
        """Refuse accounts that may not sign in here. Their password was right, so Django reports no failed sign-in."""
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            record(SIGN_IN_FAILED, user)
            raise


class SignInForm(LimitedSignInForm):
    """*Email* and *Password*. The error doesn't reveal whether the email exists."""

    error_messages = {
        "invalid_login": _("This email and password do not belong together. Check both and try again."),
        "inactive": _("This account is switched off. Ask an admin of your organisation."),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].label = _("Email")
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs["autocomplete"] = "username"


class OperatorSignInForm(LimitedSignInForm, AdminAuthenticationForm):
    """The sign-in form of Django admin, with the limits."""

"""The front door: sign in, then to where one's day is."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from staff.models import StaffMember


class SignInForm(AuthenticationForm):
    """*Email* and *Password*; the sentence for a wrong pair does not say which was wrong."""

    error_messages = {
        "invalid_login": _("This email and password do not belong together. Check both and try again."),
        "inactive": _("This account is switched off. Ask an admin of your organisation."),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].label = _("Email")
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def get_invalid_login_error(self) -> ValidationError:
        """Only who knows the password learns that the account is switched off."""
        typed = self.cleaned_data
        member = StaffMember.objects.filter(email__iexact=typed["username"], is_active=False).first()
        reason = "inactive" if member and member.check_password(typed["password"]) else "invalid_login"
        return ValidationError(self.error_messages[reason], code=reason)


def home(request: HttpRequest) -> HttpResponse:
    """Operators work in Django admin, everybody else on the schedule."""
    if isinstance(request.user, StaffMember) and request.user.organization_id is None:
        return redirect("admin:index")
    return redirect("schedule")

"""The password again, as a field on the form of a sensitive change."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staff.access import current_member
from staff.audit_log.kinds import SIGN_IN_FAILED
from staff.audit_log.record import record
from staff.models import StaffMember
from staff.sessions.current import current_session, record_password
from staff.sign_in.limits import count_attempt, record_limited, record_success

#: The password isn't asked for again within this time.
_PASSWORD_AGE: Final = timedelta(minutes=15)
_WRONG: Final = _("This is not your password. Check it and try again.")
_TOO_MANY: Final = _("Too many attempts. Try again in 15 minutes or reset your password.")


def password_problem(request: HttpRequest, member: StaffMember, password: str) -> str:
    """Check the password of the signed-in member, within the limits for sign-in attempts.

    Return a sentence about the problem, or an empty string.
    """
    if not count_attempt(request, member.email):
        record_limited(request, member.email)
        return str(_TOO_MANY)
    if not member.check_password(password):
        record(SIGN_IN_FAILED, member)
        return str(_WRONG)
    record_success(request, member.email)
    return ""


def must_enter_password(request: HttpRequest) -> bool:
    """Return whether the password was last entered too long ago for a sensitive change."""
    session = current_session(request)
    return session is None or timezone.now() - session.password_entered_at >= _PASSWORD_AGE


class PasswordCheckForm(forms.Form):
    """Asks for the password if it was last entered more than 15 minutes ago. Otherwise the form has no field."""

    current_password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("We ask again because you entered it more than 15 minutes ago."),
        error_messages={"required": _("Enter your password to make this change.")},
    )

    def __init__(self, request: HttpRequest, *, hint: str = "", is_needed: bool = True) -> None:
        """If only some changes need the password, `hint` names them, and `is_needed` says if this is one of them."""
        super().__init__(request.POST if request.method == "POST" else None)
        self.request, self.member = request, current_member(request)
        if not must_enter_password(request):
            del self.fields["current_password"]
            return
        field = self.fields["current_password"]
        field.required = is_needed
        field.help_text = hint or field.help_text

    def clean_current_password(self) -> str:
        """Check the password if it is needed, and record that it was entered."""
        password: str = self.cleaned_data["current_password"]
        if self.fields["current_password"].required:
            if problem := password_problem(self.request, self.member, password):
                raise forms.ValidationError(problem)
            record_password(self.request)
        return password

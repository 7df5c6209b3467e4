"""Forms of the two sign-in pages, /sign-in/ and /operator/, with limits on attempts."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coconut.rate_limits import Limit, cache_may_be_down, client_address, is_within
from staff import known_devices
from staff.models import StaffMember

_QUARTER_OF_AN_HOUR = 15 * 60
# By the address too: otherwise anyone could lock out the owner of an email.
_BY_PERSON_AND_ADDRESS = Limit("sign-in", times=10, seconds=_QUARTER_OF_AN_HOUR)
# A whole office may share an address.
_BY_ADDRESS = Limit("sign-in-address", times=100, seconds=_QUARTER_OF_AN_HOUR)
# For attacks from many addresses. Doesn't apply to browsers in which the owner has signed in before.
_BY_PERSON = Limit("sign-in-person", times=100, seconds=_QUARTER_OF_AN_HOUR)


def _key_of(email: str) -> str:
    """Return the email in upper case, as `iexact` compares it: each spelling of an account gives the same key."""
    return email.upper()


def count_attempt(request: HttpRequest, email: str) -> bool:
    """Count an attempt to sign in. Return whether it is within the limits."""
    person, address = _key_of(email), client_address(request)
    elsewhere = [] if known_devices.is_known(request, person) else [(_BY_PERSON, person)]
    # In this order: an attempt that the first limit refuses doesn't count for the office's address.
    return is_within((_BY_PERSON_AND_ADDRESS, (person, address)), (_BY_ADDRESS, address), *elsewhere)


def record_success(request: HttpRequest, email: str) -> None:
    """Reset the counters after the right password."""
    person, address = _key_of(email), client_address(request)
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.reset((person, address))
        _BY_ADDRESS.give_back(address)
        if not known_devices.is_known(request, person):
            _BY_PERSON.give_back(person)
    known_devices.remember(request, person)


def record_new_password(request: HttpRequest, email: str) -> None:
    """Let the person sign in with the new password at once, even after too many attempts with the old one."""
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.reset((_key_of(email), client_address(request)))
    known_devices.remember(request, _key_of(email))


class LimitedSignInForm(AuthenticationForm):
    """Checks no password after too many attempts."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt, then check the password."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not email or not password:
            return super().clean()
        if not count_attempt(self.request, email):
            raise ValidationError(
                _("Too many attempts. Try again in 15 minutes or reset your password."), code="too_many"
            )
        cleaned = super().clean()
        record_success(self.request, email)
        return cleaned


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

    def get_invalid_login_error(self) -> ValidationError:
        """Return the error. Only with the right password it reveals that the account is switched off."""
        typed = self.cleaned_data
        member = StaffMember.objects.with_email(typed["username"]).filter(is_active=False).first()
        reason = "inactive" if member and member.check_password(typed["password"]) else "invalid_login"
        return ValidationError(self.error_messages[reason], code=reason)


class OperatorSignInForm(LimitedSignInForm, AdminAuthenticationForm):
    """The sign-in form of Django admin, with the limits."""

"""The two doors, /sign-in/ and the operators', and how often a password may be guessed at them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staff import known_devices
from staff.models import StaffMember
from staff.rate_limits import Limit, cache_may_be_down, client_address, within

_QUARTER_OF_AN_HOUR = 15 * 60
# Not by the email alone: a stranger could keep its owner out.
_BY_PERSON_AND_ADDRESS = Limit("sign-in", times=10, seconds=_QUARTER_OF_AN_HOUR)
# A whole office may share one address.
_BY_ADDRESS = Limit("sign-in-address", times=100, seconds=_QUARTER_OF_AN_HOUR)
# Many addresses together. It counts only where the person has not signed in before, so that it keeps no owner out.
_BY_PERSON = Limit("sign-in-person", times=100, seconds=_QUARTER_OF_AN_HOUR)


def _same(email: str) -> str:
    """As people are found: `iexact` compares upper case, where one account has more spellings than in lower case."""
    return email.upper()


def may_try(request: HttpRequest, email: str) -> bool:
    """Count an attempt to sign in. False when there were too many."""
    person, address = _same(email), client_address(request)
    elsewhere = [] if known_devices.is_known(request, person) else [(_BY_PERSON, person)]
    # What one refuses does not use up those behind it: one stubborn device stops no office.
    return within((_BY_PERSON_AND_ADDRESS, (person, address)), (_BY_ADDRESS, address), *elsewhere)


def was_right(request: HttpRequest, email: str) -> None:
    """The password was right: the person starts anew, and the address has one attempt less."""
    person, address = _same(email), client_address(request)
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.forget((person, address))
        _BY_ADDRESS.give_back(address)
        if not known_devices.is_known(request, person):
            _BY_PERSON.give_back(person)
    known_devices.remember(request, person)


def start_anew(request: HttpRequest, email: str) -> None:
    """Whoever was stopped after too many wrong passwords may try at once, as there is a new one."""
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.forget((_same(email), client_address(request)))
    known_devices.remember(request, _same(email))


class LimitedSignInForm(AuthenticationForm):
    """Looks at no password after too many wrong ones."""

    def clean(self) -> dict[str, Any]:
        """Count, then look at the password. Raises ValidationError."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not email or not password:
            return super().clean()
        if not may_try(self.request, email):
            raise ValidationError(
                _("Too many attempts. Try again in 15 minutes or reset your password."), code="too_many"
            )
        cleaned = super().clean()
        was_right(self.request, email)
        return cleaned


class SignInForm(LimitedSignInForm):
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


class OperatorSignInForm(LimitedSignInForm, AdminAuthenticationForm):
    """Django admin's own, with the limit."""

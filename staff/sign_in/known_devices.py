"""Cookie of browsers in which a person has signed in before.

Others who guess the password can't lock the person out there (`staff.sign_in.limits`). Each browser has another value,
and a new password makes all values invalid.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from staff.models import StaffMember

_MAX_AGE = 365 * 24 * 60 * 60
_META_KEY = "coconut.device_of"


def is_known(request: HttpRequest, email: str) -> bool:
    """Return whether the account with this email was the last that signed in with this browser."""
    value = request.COOKIES.get(settings.DEVICE_COOKIE_NAME)
    if not value:
        return False
    member = StaffMember.objects.with_email(email).first()
    return member is not None and constant_time_compare(value, _cookie_value(member, value.partition(".")[0]))


def remember(request: HttpRequest, email: str) -> None:
    """Set the cookie for the account with this email in the response to `request`."""
    request.META[_META_KEY] = email


def _cookie_value(member: StaffMember, browser: str) -> str:
    """Return the random id of the browser with a keyed hash that can't be forged and doesn't reveal the person."""
    account = f"{browser}:{member.pk}:{member.password}"
    return f"{browser}.{salted_hmac('staff.sign_in.known_devices', account, algorithm='sha256').hexdigest()}"


class KnownDeviceMiddleware:
    """Sets the cookie after a sign-in, on either sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        email = request.META.get(_META_KEY)
        # Read again, because the view may have set a new password.
        member = StaffMember.objects.with_email(email).first() if email else None
        if member is not None:
            response.set_cookie(
                settings.DEVICE_COOKIE_NAME,
                _cookie_value(member, token_urlsafe(16)),
                max_age=_MAX_AGE,
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response

"""Cookie of browsers in which a person has signed in before.

Others who guess the password can't lock the person out there (`staff.sign_in_limits`).
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "coconut_device"
_MAX_AGE = 365 * 24 * 60 * 60
_META_KEY = "coconut.device_of"


def _signature_of(person: str) -> str:
    """Return a keyed hash that can't be forged and doesn't reveal the person."""
    return salted_hmac("staff.known_devices", person, algorithm="sha256").hexdigest()


def is_known(request: HttpRequest, person: str) -> bool:
    """Return whether `person` was the last who signed in with this browser."""
    return constant_time_compare(request.COOKIES.get(COOKIE, ""), _signature_of(person))


def remember(request: HttpRequest, person: str) -> None:
    """Set the cookie for `person` in the response to `request`."""
    request.META[_META_KEY] = person


class KnownDeviceMiddleware:
    """Sets the cookie after a sign-in, on either sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        person = request.META.get(_META_KEY)
        if person is not None:
            response.set_cookie(
                COOKIE,
                _signature_of(person),
                max_age=_MAX_AGE,
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response

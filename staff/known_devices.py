"""Browsers in which somebody has signed in before: strangers who guess at the account stop nobody there."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "coconut_device"
_A_YEAR = 365 * 24 * 60 * 60
_TO_REMEMBER = "coconut.device_of"


def _mark_of(person: str) -> str:
    """What only we can write, and what tells nobody who it was."""
    return salted_hmac("staff.known_devices", person, algorithm="sha256").hexdigest()


def is_known(request: HttpRequest, person: str) -> bool:
    """Has `person` signed in here before, the last of all?"""
    return constant_time_compare(request.COOKIES.get(COOKIE, ""), _mark_of(person))


def remember(request: HttpRequest, person: str) -> None:
    """Have the answer to `request` carry the mark of `person`."""
    request.META[_TO_REMEMBER] = person


class KnownDeviceMiddleware:
    """Gives the browser its mark, whichever door it came through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        person = request.META.get(_TO_REMEMBER)
        if person is not None:
            response.set_cookie(
                COOKIE,
                _mark_of(person),
                max_age=_A_YEAR,
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response

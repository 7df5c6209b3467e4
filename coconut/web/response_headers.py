"""The Permissions-Policy header of every response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

# Features of browsers that no page uses. A script that an attacker smuggles in, and frames, can't use them either.
_DENIED: Final = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "web-share",
    "window-management",
    "xr-spatial-tracking",
)
# The button Copy needs the last one.
PERMISSIONS_POLICY: Final = ", ".join([*(f"{feature}=()" for feature in _DENIED), "clipboard-write=(self)"])


def allow_position(response: HttpResponse) -> None:
    """Let the page ask for the visitor's position, to sort by distance."""
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY.replace("geolocation=()", "geolocation=(self)")


class PermissionsPolicyMiddleware:
    """Denies all pages, and the sites in their frames, the features of browsers that Coconut doesn't use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

"""Registry of the installed video platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integrations.messages import register_messages
from integrations.platforms.base import VideoPlatform
from staff.addons import addons

if TYPE_CHECKING:
    from integrations.models import Connection

_platforms: Final[dict[str, VideoPlatform]] = {}


def register(platform: VideoPlatform) -> None:
    """Add a platform, its messages and its add-ons. Call it in `AppConfig.ready()`."""
    _platforms[platform.slug] = platform
    register_messages(platform.messages)
    for addon in platform.addons:
        addons.register(addon)


def platform_of(connection: Connection) -> VideoPlatform:
    """Return the platform of a connection. Raises KeyError if the platform's app isn't installed."""
    return _platforms[connection.platform]


def all_platforms() -> list[VideoPlatform]:
    """Return the installed platforms, sorted by label."""
    return sorted(_platforms.values(), key=lambda platform: platform.label)

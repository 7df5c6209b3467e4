"""Registry of the installed video platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.models import Connection
from integrations.messages import register_messages
from integrations.platforms.base import VideoPlatform
from staff.addons import addons

_platforms: dict[str, VideoPlatform] = {}


def register(platform: VideoPlatform) -> None:
    """Add a platform, its messages and its add-ons. The `AppConfig.ready()` of the platform's app calls it."""
    _platforms[platform.slug] = platform
    register_messages(platform.messages)
    for addon in platform.addons:
        addons.register(addon)


def platform_of(connection: Connection) -> VideoPlatform:
    """Return the platform that a connection belongs to. KeyError: the platform's app is not installed."""
    return _platforms[connection.platform]


def all_platforms() -> list[VideoPlatform]:
    """Every platform that is installed, by label."""
    return sorted(_platforms.values(), key=lambda platform: platform.label)
